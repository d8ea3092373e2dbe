"""What a notebook page holds in memory, asked of Chromium after it collected its garbage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .notebook import PANEL

if TYPE_CHECKING:
    from playwright.sync_api import Page

MANAGER = f"""(async () => {{
    {PANEL}
    const renderer = panel.content.rendermime.createRenderer('application/vnd.jupyter.widget-view+json');
    try {{
        return await renderer._manager.promise;
    }} finally {{
        renderer.dispose();
    }}
}})()"""

MODELS = f"{MANAGER}.then(manager => Promise.all(Object.values(manager._models)))"
MODEL_CLASS = f"{MODELS}.then(models => models.find(model => model.get('_esm')).constructor.prototype)"


class PageMemory:
    """Counts what belongs to widgets in a notebook page, reachable or merely not let go."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def models(self) -> int:
        """Models that the notebook's widget manager knows, layouts included."""
        count: int = self._evaluate(f"{MODELS}.then(models => models.length)", returnByValue=True)["value"]
        return count

    def copies_of_the_code(self) -> int:
        """Models in the heap that carry the front end; JupyterLab keeps the empty shells of closed ones."""
        return self._count(MODEL_CLASS, "model => model.attributes?._esm")

    def views(self) -> int:
        """Views in the heap, those included that are in no document any more."""
        return self._count("HTMLDivElement.prototype", "element => element.matches('.tokentoss')")

    def sign_ins(self) -> int:
        """Objects of the page's half that own something in the memory of the WebAssembly."""
        return self._count("Object.prototype", "one => Object.hasOwn(one, '__wbg_ptr') && one.__wbg_ptr")

    def message_listeners(self) -> int:
        """Listeners to messages from popups."""
        window = self._evaluate("window")
        found = self._devtools.send("DOMDebugger.getEventListeners", {"objectId": window["objectId"]})
        return [one["type"] for one in found["listeners"]].count("message")

    def wasm_bytes(self) -> int:
        """Size of all memories of WebAssembly."""
        add = "(sum, memory) => sum + memory.buffer.byteLength"
        return self._of_all("WebAssembly.Memory.prototype", f"this.reduce({add}, 0)")

    def used_bytes(self) -> int:
        """Size of the JavaScript heap."""
        self._devtools.send("HeapProfiler.collectGarbage")
        used: int = self._devtools.send("Runtime.getHeapUsage")["usedSize"]
        return used

    def _count(self, prototype: str, wanted: str) -> int:
        return self._of_all(prototype, f"this.filter({wanted}).length")

    def _of_all(self, prototype: str, expression: str) -> int:
        # Objects that only the collector of the whole page finds unreachable would count otherwise.
        self._devtools.send("HeapProfiler.collectGarbage")
        kind = self._evaluate(prototype)["objectId"]
        found = self._devtools.send("Runtime.queryObjects", {"prototypeObjectId": kind})
        objects = found["objects"]["objectId"]
        function = f"function() {{ return {expression}; }}"
        answer = self._devtools.send(
            "Runtime.callFunctionOn",
            {"objectId": objects, "functionDeclaration": function, "returnByValue": True},
        )
        for one in (kind, objects):
            self._devtools.send("Runtime.releaseObject", {"objectId": one})
        assert "exceptionDetails" not in answer, answer
        result: int = answer["result"]["value"]
        return result

    def _evaluate(self, expression: str, **options: object) -> dict[str, Any]:
        answer = self._devtools.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, **options}
        )
        assert "exceptionDetails" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result
