"""The documents are valid by themselves: references resolve, and every example fits its schema."""

import json
import pathlib
import re

import jsonschema
import pytest
import referencing
import yaml
from referencing.jsonschema import DRAFT202012

OPENAPI = pathlib.Path(__file__).resolve().parents[2] / "openapi"
DOCUMENTS = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(OPENAPI.glob("*.yaml"))}
EXAMPLES = sorted((OPENAPI / "examples").glob("*.json"))
SCHEMAS = DOCUMENTS["common.yaml"]["components"]["schemas"]
# Parts of others; their examples stand inside those.
INNER = {
    # Search.
    "SearchHit", "SearchTextPart", "SearchFacets", "SearchFacetValue", "SearchCorrection", "SearchField",
    # Prompts and experiments.
    "PromptSummary", "PromptVersionSummary", "PromptBody", "PromptVariableBody", "PromptAnswerSchema", "PromptLabelMove", "PromptDiffHunk", "PromptDiffLine",
    "PromptMessage", "NewExperimentArm", "ExperimentGuard", "ExperimentArm", "ExperimentChange", "ArmResult", "OutcomeResult", "Estimate",
    "FieldError", "Readiness", "ContentPlatform", "ContentKind", "ContentStatus", "TitleCandidate", "TokenUsage", "VersionSource",
    "TitleSetCandidate", "TitleSetBody", "ContentSummary", "ContentVersion", "JWKS", "ContentBody", "NewDraftBody", "NewTitleSet", "ContentBrief", "ContentBodyPatch",
    "ContentCompleteness", "CopyBody", "ImageSlot", "ImageTextBody", "SceneEdit", "TitleRevision", "VideoScene", "VideoScriptBody",
    "VideoScriptType", "CatalogueModel", "ModelProvider", "RouteSetting", "RoutingPolicyView", "TokenRates", "PeakHours", "PeakRange",
    "AIGenerateParams", "AIGenerateMetadata", "AIGeneratePrompt", "AIGenerateExperiment", "AIUsage",
    "BudgetPeriod", "BudgetScope", "BudgetStanding", "BudgetSubjectStanding", "SpendingHoldState", "UsageSums", "UsageGroup",
    "UsageAttempt", "UsageRecord", "UsageRecordDetail",
    "RunState", "RunStep", "FlowProblem", "CopyGenerationItem", "VocabularyWord",
    "CopyRules", "CopyText", "CopyRevision", "ImageSlotText", "ImageTextText", "ImageTextRevision", "VideoScript", "VideoScriptRevision",
    "ComplianceFinding", "TextCheck", "ImageShape",
    "AssetState", "AssetCue", "AssetRights", "AssetRightsState", "AssetRightsPatch", "AssetUse", "AssetHolder", "AssetUploadHeaders", "AssetPart", "AssetPartURL",
    "EmbeddingsRequestInput", "EmbeddingsItem", "EmbeddingsVector", "EmbeddingsUsage", "OpenAIError",
    "ContentReviewEntry", "ContentFieldDiff", "ContentTextRun", "VideoBody", "VideoFile", "ReplyTemplateBody", "ReplyVariable",
    # Media jobs.
    "MediaJobType", "MediaJobStatus", "MediaPriority", "MediaOutputKind", "MediaJobParams", "MediaOutput", "MediaJobError", "MediaProbe",
    "MediaOutputReference", "DouyinVideoReport", "DouyinVideoFinding",
    "ContentPublishStatus", "ContentBulkItem", "SimilarContent", "SimilarPassage",
    "MaterialEntry", "MaterialKind", "MaterialRecommendation", "MaterialStatus", "AccountAvatar",
    "TenantCount", "TenantJobState", "StorageSum", "ContentStorage", "AssetStorage",
    "SemanticSearchHit", "SemanticText", "SemanticVector",
}


def registry() -> referencing.Registry:
    resources = {
        f"https://documents.invalid/{name}": referencing.Resource(contents=document, specification=DRAFT202012)
        for name, document in DOCUMENTS.items()
    }
    return referencing.Registry().with_resources(resources.items())


def schema_for(example: pathlib.Path) -> str:
    name = example.stem.split(".")[0]
    if name == "CloudEvent":
        message = {"draft-created": "ContentDraftCreated", "version-created": "ContentVersionCreated",
                   "status-changed": "ContentStatusChanged",
                   "publish-status-changed": "PublishStatusChanged",
                   "content-performance-measured": "ContentPerformanceMeasured", "content-deleted": "ContentDeleted",
                   "content-restored": "ContentRestored",
                   "material-changed": "MaterialChanged", "material-expiring": "MaterialExpiring", "account-bound": "AccountBound",
                   "account-profile-changed": "AccountProfileChanged", "account-unbound": "AccountUnbound",
                   "tenant-content-erased": "TenantContentErased", "tenant-erasure-ordered": "TenantErasureOrdered",
                   "tenant-export-completed": "TenantExportCompleted",
                   "tenant-export-failed": "TenantExportFailed", "banned-words-changed": "BannedWordsChanged",
                   "content-job-progressed": "ContentJobProgressed", "content-job-succeeded": "ContentJobSucceeded",
                   "content-job-failed": "ContentJobFailed", "content-job-canceled": "ContentJobCanceled",
                   "media-job-progressed": "MediaJobProgressed", "media-job-succeeded": "MediaJobSucceeded",
                   "media-job-failed": "MediaJobFailed", "media-job-canceled": "MediaJobCanceled",
                   "asset-uploaded": "AssetUploaded", "asset-rights-expiring": "AssetRightsExpiring",
                   "asset-rights-expired": "AssetRightsExpired", "asset-tags-renamed": "AssetTagsRenamed", "run-progressed": "RunProgressed"}[example.stem.split(".")[1]]
        return f"https://documents.invalid/events.asyncapi.yaml#/components/messages/{message}/payload"
    return f"https://documents.invalid/common.yaml#/components/schemas/{name}"


def validator(reference: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": reference}, registry=registry(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_fits_its_schema(example):
    validator(schema_for(example)).validate(json.loads(example.read_text(encoding="utf-8")))


def test_an_example_with_a_wrong_member_is_refused():
    with pytest.raises(jsonschema.ValidationError):
        validator("https://documents.invalid/common.yaml#/components/schemas/TitleGenerationRequest").validate({"topic": "防晒", "colour": "red"})


def test_every_schema_has_an_example():
    shown = {path.stem.split(".")[0] for path in EXAMPLES}
    assert set(SCHEMAS) - INNER - shown == set()


def references(node, found: set):
    if isinstance(node, dict):
        if "$ref" in node:
            found.add(node["$ref"])
        for value in node.values():
            references(value, found)
    elif isinstance(node, list):
        for value in node:
            references(value, found)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_resolves(name):
    resolver = registry().resolver(base_uri=f"https://documents.invalid/{name}")
    for reference in references(DOCUMENTS[name], set()):
        file, _, pointer = reference.partition("#")
        resolver.lookup(f"https://documents.invalid/{file or name}#{pointer}")


def empty_members(node, place=""):
    """What follows a comma in a description without quotes is read as a member of its own, without a value."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        if value is None and isinstance(node, dict):
            yield f"{place}/{key}"
        yield from empty_members(value, f"{place}/{key}")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_description_breaks_at_its_comma(name):
    assert list(empty_members(DOCUMENTS[name])) == []


def test_a_description_that_breaks_is_found():
    assert list(empty_members(yaml.safe_load("a: [{description: Revoked, now or before.}]"))) == ["/a/0/now or before."]


def test_nothing_shared_is_unused():
    used = set()
    for name, document in DOCUMENTS.items():
        for reference in references(document, set()):
            file, _, pointer = reference.partition("#")
            if (file or name) == "common.yaml":
                used.add(pointer)
    shared = DOCUMENTS["common.yaml"]["components"]
    defined = {f"/components/{kind}/{key}" for kind, entries in shared.items() if kind != "securitySchemes" for key in entries}
    assert defined - used == set()


# What services say to each other stands in the DTO library (design §2); what a service says to its own queues does not.
EVENT_TYPE = re.compile(r'"([a-z]+(?:\.[a-z]+)+\.v\d+)"')
EVENTS = DOCUMENTS["events.asyncapi.yaml"]


def event_types() -> set[str]:
    sources = (path.read_text(encoding="utf-8") for path in (OPENAPI.parent / "Shared/DTO").rglob("*.swift"))
    return {name for source in sources for name in EVENT_TYPE.findall(source)}


def wrong_events(types: set[str], events: dict) -> list[str]:
    """Where the code and the document of the events are of two minds."""
    channels = {name: channel["address"] for name, channel in events["channels"].items()}
    messages = {
        name: {events["components"]["messages"][each["$ref"].split("/")[-1]]["name"] for each in channel["messages"].values()}
        for name, channel in events["channels"].items()
    }
    # Its queue is bound to every key (Services/gateway-bff/Consumers.swift).
    shown = {
        operation["channel"]["$ref"].split("/")[-1] for operation in events["operations"].values()
        if operation["action"] == "receive" and "`gateway-bff.stream`" in operation["summary"]
    }
    return sorted(
        [f"{name} is in the code alone" for name in types - set(channels.values())]
        + [f"{name} is in the document alone" for name in set(channels.values()) - types]
        + [f"{name} has messages of other names" for name, address in channels.items() if messages[name] != {address}]
        + [f"the gateway receives {name}, too" for name in channels.keys() - shown])


def test_code_and_document_know_the_same_events():
    assert 'bindings: ["#"]' in (OPENAPI.parent / "Services/gateway-bff/Consumers.swift").read_text(encoding="utf-8")
    assert wrong_events(event_types(), EVENTS) == []


def test_a_new_event_is_noticed():
    operations = {name: operation for name, operation in EVENTS["operations"].items() if name != "gatewayReceivesAssetUploaded"}
    types = event_types() - {"asset.uploaded.v1"} | {"asset.dreamt.of.v1"}
    assert wrong_events(types, EVENTS | {"operations": operations}) == [
        "asset.dreamt.of.v1 is in the code alone", "asset.uploaded.v1 is in the document alone",
        "the gateway receives assetUploaded, too",
    ]
