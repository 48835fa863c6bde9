"""What looks at every answer of the other tests sees what is wrong with one."""

import json

import pytest
import requests

from answers import WrongAnswer
from support import documented_answers


def answer(status: int, body: dict, media: str = "application/json") -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, json.dumps(body).encode()
    made.headers["Content-Type"] = f"{media}; charset=utf-8"
    return made


FOLDER_PAGE = ("gateway-bff", "GET", "/api/asset-folders?limit=2")


def test_an_answer_as_documented_passes():
    documented_answers().check(*FOLDER_PAGE, answer(200, {"items": []}))


@pytest.mark.parametrize("wrong", [
    answer(200, {"items": [], "colour": "red"}), answer(200, {}), answer(200, {"items": [{"colour": "red"}]}),
    answer(200, {"items": []}, "application/problem+json"), answer(422, {"items": []}),
    answer(422, {"items": []}, "application/problem+json"),
], ids=["an unknown member", "a missing member", "another schema within", "another type", "another type of a problem", "no problem"])
def test_a_wrong_answer_is_noticed(wrong):
    with pytest.raises(WrongAnswer):
        documented_answers().check(*FOLDER_PAGE, wrong)


def test_a_literal_path_comes_before_one_with_a_parameter():
    answers = documented_answers()
    assert answers.operation("gateway-bff", "get", "/api/assets/tags") == "/api/assets/tags"
    assert answers.operation("gateway-bff", "get", "/api/assets/0") == "/api/assets/{id}"
    assert answers.operation("gateway-bff", "get", "/api/nowhere") is None
