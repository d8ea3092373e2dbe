// ID tokens with any claims, signed with the key that the provider signs its own with.
import { createPrivateKey, sign } from "node:crypto";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Makes a function from claims to a token, for one private RSA key in JWK form. */
export function signer(jwk) {
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return (claims) => {
    const signed = `${encode({ alg: jwk.alg, typ: "JWT", kid: jwk.kid })}.${encode(claims)}`;
    return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key).toString("base64url")}`;
  };
}
