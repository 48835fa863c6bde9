"""Every JSON answer that a test gets from a service is what the document promises for that operation and status.

`Member.request` and `Stack.inner` hand each answer over. A status or a route that no document knows is test_status_codes.py's matter.
"""

import re
from functools import cache

import jsonschema
import referencing
import requests
import yaml
from referencing.jsonschema import DRAFT202012

OPENAPI = "openapi"
METHODS = ("get", "post", "patch", "put", "delete")
#: Of the pure reader's twin in C, where there is one: the documents are long.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class WrongAnswer(AssertionError):
    """Not what the document promises."""


class Answers:
    """The documents of one folder, as far as answers go."""

    def __init__(self, documents: dict[str, dict]):
        self.documents = documents
        resources = {
            f"https://documents.invalid/{name}": referencing.Resource(contents=document, specification=DRAFT202012)
            for name, document in documents.items()
        }
        self.registry = referencing.Registry().with_resources(resources.items()).crawl()
        self.operation = cache(self.operation)
        self.validator = cache(self.validator)
        self.places = cache(self.places)

    @classmethod
    def of(cls, directory) -> "Answers":
        return cls({path.name: yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER) for path in directory.glob("*.yaml")})

    def check(self, service: str, method: str, path: str, answer: requests.Response) -> None:
        """- Raises: `WrongAnswer`."""
        media = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if method.upper() not in map(str.upper, METHODS) or not (media == "application/json" or media.endswith("+json")):
            return
        place = self.operation(service, method.lower(), path.partition("?")[0])
        validator = place and self.validator(service, method.lower(), place, str(answer.status_code), media)
        if not validator:
            return
        if error := jsonschema.exceptions.best_match(validator.iter_errors(answer.json())):
            raise WrongAnswer(
                f"{method.upper()} {place} of {service} answered {answer.status_code} with what is not documented: at {error.json_path}"
                f" {error.message[:500]}")

    def places(self, service: str) -> list[tuple[str, re.Pattern]]:
        """The document's paths, those with fewer parameters first, as the router prefers a literal segment."""
        paths = self.documents.get(f"{service}.yaml", {}).get("paths", {})
        return [
            (path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))))
            for path in sorted(paths, key=lambda path: (path.count("{"), path))
        ]

    def operation(self, service: str, method: str, path: str) -> str | None:
        for place, pattern in self.places(service):
            if pattern.fullmatch(path):
                return place if method in self.documents[f"{service}.yaml"]["paths"][place] else None
        return None

    def validator(self, service: str, method: str, place: str, status: str, media: str) -> jsonschema.Draft202012Validator | None:
        document = f"{service}.yaml"
        response = self.documents[document]["paths"][place][method]["responses"].get(status)
        if response is None:
            return None
        pointer = ["paths", place, method, "responses", status]
        if "$ref" in response:
            file, _, target = response["$ref"].partition("#/")
            document, pointer = file or document, target.split("/")
            response = self.documents[document]
            for name in pointer:
                response = response[name]
        content = response.get("content", {})
        if media not in content:
            raise WrongAnswer(f"{method.upper()} {place} of {service} answered {status} as {media}, documented are {sorted(content)}")
        if "schema" not in content[media]:
            return None
        escaped = "/".join(each.replace("~", "~0").replace("/", "~1") for each in (*pointer, "content", media, "schema"))
        # In a pointer that stands in a URI some characters do not stand for themselves.
        escaped = escaped.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace("+", "%2B")
        return jsonschema.Draft202012Validator(
            {"$ref": f"https://documents.invalid/{document}#/{escaped}"}, registry=self.registry)
