"""The first thing a newcomer sees: sign in as the demo tenant and write five titles."""

import json
import urllib.error
import urllib.request
import uuid

from .layout import StackError
from .processes import say

TOPIC = "夏季通勤防晒怎么选"


def post(url: str, body: dict, headers: dict[str, str] | None = None, timeout: float = 40) -> tuple[int, dict]:
    request = urllib.request.Request(
        url, data=json.dumps(body, ensure_ascii=False).encode(), method="POST",
        headers={"Content-Type": "application/json", "Accept": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            return error.code, json.loads(text)
        except ValueError:
            return error.code, {"detail": text}
    except OSError as error:
        raise StackError(f"{url} does not answer: {error}") from error


def sign_in(gateway: str, email: str, password: str) -> str:
    status, answer = post(f"{gateway}/api/auth/login", {"email": email, "password": password})
    if status != 200:
        raise StackError(f"the demo sign-in was refused ({status}): {describe(answer)}")
    return answer["accessToken"]


def generate_titles(gateway: str, token: str) -> dict:
    status, answer = post(
        f"{gateway}/api/titles", {"topic": TOPIC, "platform": "douyin", "count": 5},
        {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())})
    if status != 201:
        raise StackError(f"the title generation failed ({status}): {describe(answer)}")
    return answer


def show_titles(answer: dict) -> None:
    say(f"\n爆款标题 · title candidates for “{TOPIC}”\n")
    for number, candidate in enumerate(answer["candidates"], 1):
        say(f"  {number}. {candidate['title']}")
        say(f"     {candidate['score']:>3}/100  {candidate['formula']}: {'; '.join(candidate['reasons'])}")
    say(f"\n  draft     {answer['contentId']} (version {answer['version']}, {answer['status']})")
    say(f"  written   by {answer['provider']} / {answer['modelName']} in {answer['latencyMs']} ms")
    if answer["degraded"]:
        say(f"  degraded  {answer.get('degradedReason') or 'yes'}")
        say("            for a real model set DEEPSEEK_API_KEY or OPENAI_API_KEY (see README.md)")


def describe(problem: dict) -> str:
    parts = [str(problem[key]) for key in ("code", "title", "detail", "requestId") if problem.get(key)]
    return " · ".join(parts) or str(problem)
