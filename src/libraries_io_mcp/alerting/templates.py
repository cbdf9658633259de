"""The templates of labels and annotations: the part of Go's template language that this evaluator knows.

`{{ $labels.name }}`, `{{ .Labels.name }}`, `{{ $value }}`, `{{ .Value }}`, `printf`, `toUpper`, `toLower` and the
humanize functions, with pipes, parentheses, comments and `{{-`/`-}}`. All else is refused when the rule is loaded, and
named, so that nothing is shown otherwise than Prometheus would show it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from libraries_io_mcp.alerting.go_format import HUMANIZE, check_printf, number, printf

Value = float | str
_Evaluate = Callable[[Mapping[str, str], float], Value]


class TemplateError(Exception):
    """A template that is not well formed, or uses what this evaluator does not know. One line."""


@dataclass(frozen=True, slots=True)
class _Term:
    """Part of an action: its type is known when it is parsed."""

    kind: type[float] | type[str]
    evaluate: _Evaluate
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: pieces of text and actions in turn."""

    text: str
    pieces: tuple[str | _Term, ...]

    def expand(self, labels: Mapping[str, str], value: float) -> str:
        """The text for one sample: its labels (a missing one is empty) and its value."""
        try:
            return "".join(each if isinstance(each, str) else _shown(each, labels, value) for each in self.pieces)
        except ValueError as error:
            return f"<error expanding template: {error}>"


_ACTION: Final = re.compile(r"\{\{(?P<left>-(?=\s))?(?P<inside>.*?)(?P<right>(?<=\s)-)?\}\}", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<label>(?:\$labels|(?:\$)?\.Labels)\.(?P<name>{_NAME}))(?![\w.])
      | (?P<value>\$value|\$?\.Value)(?![\w.])
      | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
      | (?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w.])
      | (?P<mark>[|()])
      | (?P<word>[^\s|()"`]+)
    )""",
    re.VERBOSE,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_KEYWORDS: Final = frozenset(
    {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil"}
)
_WHITE: Final = " \t\r\n"
_MANY_PIECES: Final = 1000


def parse_template(text: str) -> Template:
    """A template, checked.

    Raises:
        TemplateError: see there; names the construct.
    """
    pieces: list[str | _Term] = []
    position, trim = 0, False
    for match in _ACTION.finditer(text):
        before = text[position : match.start()]
        before = before.lstrip(_WHITE) if trim else before
        pieces.append(before.rstrip(_WHITE) if match["left"] else before)
        if not _is_comment(match):
            pieces.append(_Action(match["inside"]).parse())
        position, trim = match.end(), bool(match["right"])
        if len(pieces) > _MANY_PIECES:
            raise TemplateError("more than 500 actions")
    rest = text[position:]
    if "{{" in rest:
        raise TemplateError("{{ without }}")
    pieces.append(rest.lstrip(_WHITE) if trim else rest)
    return Template(text, tuple(piece for piece in pieces if piece != ""))


def expand(text: str, labels: Mapping[str, str], value: float) -> str:
    """Parse and expand at once.

    Raises:
        TemplateError: as `parse_template`.
    """
    return parse_template(text).expand(labels, value)


def _is_comment(action: re.Match[str]) -> bool:
    # Go wants a comment right at the marks, or at the white space that belongs to the trimming ones.
    inside = action["inside"]
    inside = inside.lstrip(_WHITE) if action["left"] else inside
    return _COMMENT.fullmatch(inside.rstrip(_WHITE) if action["right"] else inside) is not None


def _shown(term: _Term, labels: Mapping[str, str], value: float) -> str:
    result = term.evaluate(labels, value)
    return result if isinstance(result, str) else number(result)


class _Action:
    """Recursive descent over what stands between `{{` and `}}`."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = list(_tokens(source))
        self._next = 0

    def parse(self) -> _Term:
        """The value that the action shows."""
        term = self._pipeline()
        if self._peek() is not None:
            self._refuse(f"unexpected {self._tokens[self._next][1]!r}")
        return term

    def _pipeline(self) -> _Term:
        term = self._command(None)
        while self._peek() == ("mark", "|"):
            self._next += 1
            term = self._command(term)
        return term

    def _command(self, piped: _Term | None) -> _Term:
        token = self._peek()
        if token is not None and token[0] == "word":
            self._next += 1
            return self._call(token[1], piped)
        term = self._operand()
        if piped is not None or term is None:
            self._refuse("a pipe must lead to a function" if piped is not None else "nothing to show")
        return term

    def _call(self, name: str, piped: _Term | None) -> _Term:
        terms: list[_Term] = []
        while (term := self._operand()) is not None:
            terms.append(term)
        if piped is not None:
            terms.append(piped)
        if name == "printf":
            return self._printf(terms)
        if name in HUMANIZE:
            return self._one(name, terms, float, HUMANIZE[name])
        if name in {"toUpper", "toLower"}:
            return self._one(name, terms, str, str.upper if name == "toUpper" else str.lower)
        what = "keyword" if name in _KEYWORDS else "variable" if name.startswith(("$", ".")) else "function"
        return self._refuse(f"{what} {name!r} is not supported")

    def _operand(self) -> _Term | None:
        token = self._peek()
        if token is None or token[0] == "word" or token in {("mark", "|"), ("mark", ")")}:
            return None
        self._next += 1
        kind, text = token
        if kind == "mark":
            return self._parenthesis()
        if kind == "label":
            return _Term(str, lambda labels, _value: labels.get(text, ""))
        if kind == "value":
            return _Term(float, lambda _labels, value: value)
        if kind == "string":
            literal = self._literal(text)
            return _Term(str, lambda _labels, _value: literal, literal)
        constant = float(text)
        if constant.is_integer() and not re.search(r"[.eE]", text):
            # Go prints a whole number without an exponent, however large; a float it does not.
            self._refuse(f"the whole number {text} is not supported; write {text}.0")
        return _Term(float, lambda _labels, _value: constant)

    def _parenthesis(self) -> _Term:
        term = self._pipeline()
        if self._peek() != ("mark", ")"):
            self._refuse("( without )")
        self._next += 1
        return term

    def _printf(self, terms: list[_Term]) -> _Term:
        if not terms or terms[0].literal is None:
            self._refuse("printf needs a format in quotes")
        form, values = terms[0].literal or "", terms[1:]
        wrong = check_printf(form, tuple(term.kind for term in values))
        if wrong:
            self._refuse(wrong)
        return _Term(str, lambda labels, value: printf(form, *(term.evaluate(labels, value) for term in values)))

    def _one(self, name: str, terms: list[_Term], kind: type, function: Callable[..., str]) -> _Term:
        if len(terms) != 1 or terms[0].kind is not kind:
            self._refuse(f"{name} takes one {'number' if kind is float else 'text'}")
        (term,) = terms
        return _Term(str, lambda labels, value: function(term.evaluate(labels, value)))

    def _literal(self, quoted: str) -> str:
        if quoted.startswith("`"):
            return quoted[1:-1].replace("\r", "")
        unknown = next((each for each in re.findall(r"\\(.)", quoted[1:-1]) if each not in _ESCAPES), None)
        if unknown is not None:
            self._refuse(f"the escape \\{unknown} is not supported")
        return re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], quoted[1:-1])

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _refuse(self, why: str) -> NoReturn:
        raise TemplateError(f"{{{{ {' '.join(self._source.split())} }}}}: {why}")


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    end = len(source.rstrip(_WHITE))
    while position < end:
        match = _TOKEN.match(source, position)
        if match is None:
            raise TemplateError(f"{{{{ {source.strip()} }}}}: can't be read from {source[position:].strip()!r} on")
        kind = match.lastgroup if match.lastgroup != "name" else "label"
        # `lastgroup` is the outermost group that matched last; a label's name is what is needed of it.
        tokens.append((kind or "", match["name"] if match["label"] else match[kind or 0]))
        position = match.end()
    return tokens
