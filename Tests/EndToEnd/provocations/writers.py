"""agent-center's writers besides titles: what nobody but orchestration-service asks them for."""

RULES = {"minLength": 20, "maxLength": 300, "minHashtags": 1, "maxHashtags": 5, "emoji": "few", "allowsLinks": False, "voice": "口语"}
BRIEF = {"topic": "防晒", "platform": "douyin", "rules": RULES, "sellingPoints": [], "keywords": [], "bannedWords": [], "brandWords": [],
         "model": "auto"}


def provoke(stack, member) -> None:
    for path, more in [("/v1/copies", {}), ("/v1/image-texts", {"slots": 2}),
                       ("/v1/video-scripts", {"scriptType": "vlog", "durationSeconds": 20})]:
        answer = stack.inner("orchestration-service", "agent-center", "POST", path, member.tenant, json=BRIEF | more)
        assert answer.status_code == 200, answer.text
