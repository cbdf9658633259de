"""Templates of labels and annotations: what they give, and what is refused by name."""

import pytest

from libraries_io_mcp.alerting.templates import TemplateError, expand, parse_template

LABELS = {"service_name": "libraries-io-mcp", "job": "api"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ $labels.job }}", "api"),
        ("{{$labels.job}} and {{.Labels.service_name}}", "api and libraries-io-mcp"),
        ("{{ $.Labels.job }}", "api"),
        ("[{{ $labels.missing }}]", "[]"),
        ("{{ $value }}", "0.12345"),
        ("{{ .Value }}", "0.12345"),
        ("{{ $value | humanizePercentage }}", "12.35%"),
        ("{{ humanize $value }}", "123.5m"),
        ('{{ printf "%.2f" $value }}', "0.12"),
        ('{{ printf "%s: %s" $labels.job (humanize1024 $value) }}', "api: 0.1235"),
        ("{{ printf `%v\\n` $value }}", "0.12345\\n"),
        ('{{ "a\\"b\\n" }}', 'a"b\n'),
        ("{{ $labels.job | toUpper }}", "API"),
        ('{{ toLower "ABC" }}', "abc"),
        ("{{ 1.5 | humanizeDuration }}", "1.5s"),
        ("a {{- $value -}} b", "a0.12345b"),
        ("a\n{{- /* a note */ -}}\n b", "ab"),
        ("a{{/* a note */}}b", "ab"),
        ("100 % }} {", "100 % }} {"),
    ],
)
def test_what_a_template_gives(text: str, expanded: str) -> None:
    assert expand(text, LABELS, 0.12345) == expanded


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ if $value }}x{{ end }}", "keyword 'if'"),
        ("{{ range query `up` }}{{ end }}", "keyword 'range'"),
        ("{{ query `up` | first | value }}", "function 'query'"),
        ("{{ $externalLabels.cluster }}", "variable '$externalLabels.cluster'"),
        ("{{ .ExternalURL }}", "variable '.ExternalURL'"),
        ("{{ externalURL }}", "function 'externalURL'"),
        ("{{ $labels }}", "variable '$labels'"),
        ("{{ $labels.job.name }}", "variable '$labels.job.name'"),
        ("{{ $x := 1 }}", "variable '$x'"),
        ("{{ eq $value 1.0 }}", "function 'eq'"),
        ("{{ $value | reReplaceAll `a` `b` }}", "function 'reReplaceAll'"),
        ("{{ humanize $labels.job }}", "humanize takes one number"),
        ("{{ toUpper $value }}", "toUpper takes one text"),
        ("{{ humanize }}", "humanize takes one number"),
        ("{{ humanize $value $value }}", "humanize takes one number"),
        ('{{ printf "%d" $value }}', "'%d' is not supported"),
        ("{{ printf $value }}", "printf needs a format"),
        ("{{ $value | $labels.job }}", "a pipe must lead to a function"),
        ("{{ $value humanize }}", "unexpected 'humanize'"),
        ("{{ }}", "nothing to show"),
        ("{{ 3 }}", "whole number 3"),
        ('{{ "\\x41" }}', "escape \\x"),
        ("{{ (humanize $value }}", "( without )"),
        ("{{ $value", "{{ without }}"),
        ('{{ printf "%s }}', "can't be read"),
        ("{{ /* a note */ }}", "'/*'"),
    ],
)
def test_what_is_refused_is_named(text: str, named: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parse_template(text)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_value_that_can_not_be_shown_does_not_stop_the_alert() -> None:
    shown = expand("since {{ $value | humanizeTimestamp }}", {}, 1e12)
    assert shown.startswith("<error expanding template: ")


def test_a_text_of_many_actions() -> None:
    with pytest.raises(TemplateError, match="more than"):
        parse_template("{{ $value }} " * 2000)
