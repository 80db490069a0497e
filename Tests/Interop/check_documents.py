"""Checks documents against JSON Schemas with the jsonschema package.

    check_documents.py SCHEMA=DOCUMENT … [--refused SCHEMA=DOCUMENT …]

Documents after --refused must not fit their schema. A DOCUMENT is a file, or a folder of which every *.json is one.
"""
import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"


def retrieve(uri):
    """A schema of this repository, by the address that another one names it by."""
    return Resource.from_contents(json.loads(pathlib.Path(uri.removeprefix("file://")).read_text()), DRAFT202012)


checked = wrong = 0
fitting = True
for word in sys.argv[1:]:
    if word == "--refused":
        fitting = False
        continue
    name, _, place = word.partition("=")
    path = SCHEMAS / f"{name}.schema.json"
    Draft202012Validator.check_schema(json.loads(path.read_text()))
    # By its address, from which its relative references go.
    validator = Draft202012Validator({"$ref": path.as_uri()}, registry=Registry(retrieve=retrieve))
    place = pathlib.Path(place)
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    assert files, f"{place} holds no document"
    for file in files:
        errors = list(validator.iter_errors(json.loads(file.read_text())))
        checked += 1
        if bool(errors) == fitting:
            wrong += 1
            print(f"{file} {'does not fit' if fitting else 'fits'} {name}:", *(e.message[:200] for e in errors[:3]))
print(f"{checked} documents, {wrong} wrong")
sys.exit(1 if wrong or not checked else 0)
