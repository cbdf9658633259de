import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libraries_io_mcp.licences import read_licence
from libraries_io_mcp.licences.catalogue import CATALOGUE

WORDS = ["MIT", "GPL-2.0", "(", ")", "AND", "OR", "WITH", "/", ",", "+", "Foo"]


@pytest.mark.parametrize(
    "wording",
    [
        "Permission is hereby granted, free of charge, to any person",
        "Redistribution and use in source and binary forms, with or without modification, are permitted provided that",
        "Copyright (c) 2020 Somebody",
        "you can do with it whatever you like as long as nobody is hurt by that, or sad",
    ],
)
def test_a_piece_of_a_licences_text_is_no_list_of_names(wording: str):
    reading = read_licence(wording)
    assert (reading.read_as, reading.alternatives) == (None, ((wording,),))
    assert "wording from a licence" in reading.note


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("MIT License", "MIT"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("Apache 2", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ("BSD", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.1-or-later"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("LGPL 2.1", "LGPL-2.1-only"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("UNLICENSED", "LicenseRef-Proprietary"),
        ("perl_5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT, Apache-2.0", "MIT AND Apache-2.0"),
        ("MIT License OR Apache 2", "MIT OR Apache-2.0"),
        ("GPLv2 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("MIT AND (Apache-2.0 OR GPL-3.0-or-later)", "MIT AND (Apache-2.0 OR GPL-3.0-or-later)"),
        ("Apache-2.0+", "Apache-2.0"),
        ("mit or gpl-3.0-ONLY with gcc-exception-3.1", "MIT OR GPL-3.0-only WITH GCC-exception-3.1"),
        ("GPL OR MIT", "LicenseRef-GPL OR MIT"),
        ("BSD-3-Clause OR Other", "BSD-3-Clause OR LicenseRef-Other"),
    ],
)
def test_read_as(said: str, read_as: str):
    reading = read_licence(said)
    assert reading.read_as == read_as
    if read_as != said:
        assert reading.note or said.lower() == read_as.lower()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Other", "read its text"),
        ("NONE", "no licence is named"),
        ("", "no licence is named"),
        ("NOASSERTION", "not known"),
        ("SEE LICENSE IN LICENSE.md", "points to a text"),
        ("https://example.org/licence", "on the web"),
        ("GPL", "no version"),
        ("MIT OR", "neither"),
        ("(" * 500, "too long"),
        ("MIT" * 400, "too long"),
    ],
)
def test_what_can_not_be_read_says_why(said: str, why: str):
    reading = read_licence(said)
    assert reading.read_as is None
    assert why in reading.note
    assert len(reading.unknown) == 1


def test_alternatives_and_unknown_names():
    reading = read_licence("MIT AND (Apache-2.0 OR Foo-1.0)")
    assert reading.alternatives == (("MIT", "Apache-2.0"), ("MIT", "Foo-1.0"))
    assert reading.unknown == ("Foo-1.0",)
    assert "not on the SPDX list" in reading.note
    assert read_licence("Apache-2.0 WITH Nope").unknown == ("Apache-2.0 WITH Nope",)


def test_an_explosion_of_alternatives_is_unread():
    reading = read_licence(
        " AND ".join(["(MIT OR ISC)", "(Zlib OR 0BSD)", "(X11 OR curl)", "(NCSA OR ICU)", "(W3C OR TCL)"])
    )
    assert reading.read_as is None
    assert "too many alternatives" in reading.note


def test_every_identifier_of_the_catalogue_is_spdx():
    for id_ in CATALOGUE:
        reading = read_licence(id_)
        assert reading.read_as == id_, id_
        assert reading.note == "", id_


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS)).map(" ".join)))
def test_any_text_gets_a_reading(text: str):
    reading = read_licence(text)
    assert reading.alternatives
    assert reading.read_as is not None or reading.unknown
