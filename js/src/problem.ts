/** What went wrong, for a view: the stable code, which has its place in the documents, and the sentence with the next step. */
export interface Problem {
  code: string;
  message: string;
}

/** Both are empty when nothing did. */
export const NO_PROBLEM: Problem = { code: "", message: "" };
