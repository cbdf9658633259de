from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from libraries_io_mcp.librariesio import models as models_
from libraries_io_mcp.librariesio import repository_models
from libraries_io_mcp.librariesio.decoder import decode, decoder
from libraries_io_mcp.librariesio.models import Project, Record, Subscription, Version
from libraries_io_mcp.librariesio.repository_models import Owner

MOMENT = datetime(2024, 4, 2, 11, 30, 29, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2024-04-02T11:30:29.000Z", "2024-04-02 11:30:29 UTC", "2024-04-02T11:30:29+00:00"])
def test_all_forms_of_time_are_read(text):
    version = decoder(Version).validate_json(f'{{"number": "1", "published_at": "{text}"}}')
    assert version.published_at == MOMENT


@pytest.mark.parametrize("licence", ['"MIT"', '["MIT"]', '{"type": "MIT"}', "null"])
def test_a_licence_has_any_shape(licence):
    decoder(Version).validate_json(f'{{"number": "1", "original_license": {licence}}}')


def test_null_is_not_known_whatever_it_stands_for():
    project = decoder(Project).validate_json(
        '{"name": "x", "platform": "NPM", "keywords": null, "versions": null, "stars": null, "rank": null, "new": 1}'
    )
    assert (project.keywords, project.versions, project.stars, project.rank) == (None, None, None, None)


def test_what_the_service_leaves_out_is_not_known():
    """A default is never a fact: no number, no `false` and no empty list stands for what was not said."""
    models = (getattr(module, name) for module in (models_, repository_models) for name in vars(module))
    for model in models:
        if isinstance(model, type) and issubclass(model, Record):
            defaults = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
            assert set(defaults.values()) <= {None}, (model, defaults)


def test_an_answer_is_frozen():
    project = decoder(Project).validate_json('{"name": "x", "platform": "NPM"}')
    with pytest.raises(ValidationError):
        project.name = "y"


@pytest.mark.parametrize("model", [Project, Subscription, Owner])
def test_some_other_object_is_no_answer(model):
    with pytest.raises(ValueError, match="promised"):
        decode(model, b'{"message": "Disabled for performance reasons"}')


def test_personal_data_is_left_out():
    owner = decoder(Owner).validate_json(
        '{"login": "x", "user_type": "User", "host_type": "GitHub", "email": "someone@example.org", "uuid": 7}'
    )
    assert "example.org" not in repr(owner)
    assert owner.uuid == "7"


def test_a_decoder_is_built_once():
    assert decoder(Project) is decoder(Project)
