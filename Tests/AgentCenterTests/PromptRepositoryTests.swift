import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

@Suite("The prompt repository")
struct PromptRepositoryTests {
    private static let answering = [ScriptedVendor.Reply.says(ModelTitles.json())]

    private static func instructions(_ vendor: ScriptedVendor) throws -> String {
        let body = try JSONValue(parsing: Array(try #require(vendor.received.last).body.utf8))
        return try #require(body["messages"]?[0]?["content"]?.string)
    }

    @Test("What ships is there without anybody's doing")
    func shipped() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            let list = try await prompts.get("/v1/prompts?limit=100", as: Page<PromptSummary>.self)
            let title = try #require(list.items.first { $0.name == "title" })
            #expect(title.isShipped && title.latestVersion == 0 && title.scene == "title-zh")
            #expect(title.labels == [PromptLabel(label: "production", version: 0, revision: 0)])
            let detail = try await prompts.get("/v1/prompts/title", as: PromptDetail.self)
            #expect(detail.shipped?.reference == ShippedPrompts.all["title"]?.reference)
            #expect(detail.versions.isEmpty && detail.runningExperiment == nil)
            let version = try await prompts.get("/v1/prompts/title/versions/0", as: PromptVersionView.self)
            #expect(version.definition.variables.map(\.name).contains("bannedWords"))
            #expect(try await prompts.send(.get, "/v1/prompts/no-such").status == .notFound)
            #expect(try await prompts.send(.get, "/v1/prompts/title/versions/1").status == .notFound)
        }
    }

    @Test("A version is used once a label leads to it; the next call knows; rolling back goes step by step")
    func labels() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service, subject: "editor")
            let first = try await prompts.add(PromptSamples.title("甲版。只输出 json。"), to: "title", note: "第一版")
            let second = try await prompts.add(PromptSamples.title("乙版。只输出 json。"), to: "title")
            #expect((first.version, second.version) == (1, 2))
            #expect(first.note == "第一版" && first.createdBy == "editor" && first.usable)
            #expect(try await service.write().promptVersion == ShippedPrompts.all["title"]?.reference)

            let moved = try await prompts.move("production", of: "title", to: 1)
            #expect(moved.headers["ETag"] == "\"1\"")
            #expect(try await service.write().promptVersion == "title@1")
            #expect(try Self.instructions(vendor).hasSuffix("甲版。只输出 json。"))
            #expect(try Self.instructions(vendor).hasPrefix("【数据约定】"))

            // Moving it again needs to know where it stands.
            #expect(try await prompts.move("production", of: "title", to: 2).status == .preconditionRequired)
            #expect(try await prompts.move("production", of: "title", to: 2, ifMatch: "\"7\"").status == .preconditionFailed)
            #expect(try await prompts.move("production", of: "title", to: 2, ifMatch: "\"1\"").status == .ok)
            // To where it stands is no move.
            #expect(try await prompts.move("production", of: "title", to: 2, ifMatch: "\"2\"").headers["ETag"] == "\"2\"")
            #expect(try await service.write().promptVersion == "title@2")

            func rollBack(_ body: JSONValue? = nil) async throws -> TestResponse {
                try await prompts.send(.post, "/v1/prompts/title/rollback", body)
            }
            #expect(try await rollBack(["expectedVersion": 1]).status == .preconditionFailed)
            #expect(try await rollBack(["expectedVersion": 2]).decode(PromptLabel.self).version == 1)
            #expect(try await service.write().promptVersion == "title@1")
            #expect(try await rollBack().decode(PromptLabel.self).version == 0)
            #expect(try await service.write().promptVersion == ShippedPrompts.all["title"]?.reference)
            let nothing = try await rollBack()
            #expect(try nothing.problem().code == "prompts.nothing_before")

            let history = try await prompts.get(
                "/v1/prompts/title/labels/production/history?limit=3", as: Page<PromptLabelMove>.self)
            #expect(history.items.map(\.kind) == ["rolled_back", "rolled_back", "moved"])
            #expect(history.items.map(\.to) == [0, 1, 2])
            let rest = try await prompts.get(
                "/v1/prompts/title/labels/production/history?cursor=\(history.nextCursor ?? "")", as: Page<PromptLabelMove>.self)
            #expect(rest.items.map(\.from) == [nil] && rest.items.map(\.movedBy) == ["editor"])
        }
    }

    @Test("Own labels: made, moved by what one believes, removed; production stays")
    func ownLabels() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(PromptSamples.title("甲版"), to: "title")
            #expect(try await prompts.move("canary", of: "title", to: 1).status == .ok)
            #expect(
                try await prompts.send(.put, "/v1/prompts/title/labels/canary", ["version": 0, "expectedVersion": 1]).status
                    == .ok)
            let choice = try await service.repository().resolve("title", for: TestContext.tenant, subject: "x", label: "canary")
            #expect(choice.ref == ShippedPrompts.all["title"].map { $0.reference.replacing("title@", with: "title.canary@") })
            #expect(
                try await prompts.refusal(.put, "/v1/prompts/title/labels/next", ["version": 9]) == ["/version unknown_version"])
            #expect(try await prompts.send(.get, "/v1/prompts/title/labels/next").status == .notFound)
            #expect(try await prompts.send(.delete, "/v1/prompts/title/labels/canary").status == .noContent)
            #expect(try await prompts.send(.delete, "/v1/prompts/title/labels/canary").status == .notFound)
            let protected = try await prompts.send(.delete, "/v1/prompts/title/labels/production")
            #expect(try protected.problem().code == "prompts.label_protected")
            // It goes on counting.
            let again = try await prompts.move("canary", of: "title", to: 1)
            #expect(try again.decode(PromptLabel.self).revision == 4)
            await #expect(throws: NotFound.self) {
                try await service.repository().resolve("title", for: TestContext.tenant, subject: "x", label: "no-such")
            }
        }
    }

    @Test("A version never changes, not even by SQL; a repeat of the operation adds none")
    func immutable() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            let operation = UUID()
            let first = try await prompts.add(PromptSamples.own, to: "slogan", operation: operation)
            #expect(try await prompts.add(PromptSamples.own, to: "slogan", operation: operation) == first)
            #expect(try await prompts.add(PromptSamples.own, to: "slogan").version == 2)
            for sql: SQL in ["UPDATE prompt_versions SET text = 'x'", "DELETE FROM prompt_versions"] {
                await #expect { try await service.database.app.query(sql, tenant: TestContext.tenant) } throws: {
                    ($0 as? PostgresError)?.isInsufficientPrivilege == true
                }
            }
            let page = try await prompts.get("/v1/prompts/slogan/versions?limit=1", as: Page<PromptVersionSummary>.self)
            #expect(page.items.map(\.version) == [2] && page.nextCursor != nil)
        }
    }

    @Test("Parts and text are two forms of the same; both are refused field by field and line by line")
    func forms() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            let version = try await prompts.add(PromptSamples.own, to: "slogan")
            let parts: JSONValue = ["definition": try JSONValue(parsing: try JSON.encode(version.definition))]
            let again = try await prompts.send(.post, "/v1/prompts/slogan/versions", parts)
            #expect(again.status == .created, "\(again.text)")
            #expect(again.headers["Location"] == "/api/prompts/slogan/versions/2")
            #expect(try again.decode(PromptVersionView.self).text == version.text)

            let path = "/v1/prompts/slogan/versions"
            #expect(try await prompts.refusal(.post, path, [:]) == ["/text required"])
            #expect(
                try await prompts.refusal(
                    .post, path,
                    [
                        "definition": [
                            "scene": "s", "language": "zh", "description": "d", "template": "写 {{brand}}", "colour": 1,
                            "variables": [["name": "brand", "type": "text"], ["name": "n", "type": "word"]],
                        ]
                    ]) == [
                        "/definition/variables/0/maxLength required", "/definition/variables/1/type unknown_value",
                        "/definition/colour unknown_field",
                    ])
            let bad = PromptSamples.own.replacing("{{count}}", with: "{{brand}}")
            let response = try await prompts.send(.post, path, ["text": .string(bad)])
            let issue = try #require(try response.problem().errors?.first)
            #expect(issue.pointer == "/text" && issue.code == "free_text_in_instructions")
            // Ten lines of front matter, then the template.
            #expect(issue.message.hasPrefix("第 11 行："))
            // What the flow could not use is refused with the line that is at fault.
            let narrow = PromptSamples.title("x").replacing("topic: text(500)", with: "topic: text(10)")
            let broken = try await prompts.send(.post, "/v1/prompts/title/versions", ["text": .string(narrow)])
            let breach = try #require(try broken.problem().errors?.first)
            #expect(breach.code == "narrower_than_given")
            #expect(breach.message.contains("行："))
            #expect(try await prompts.send(.get, "/v1/prompts/title/versions/1").status == .notFound)
        }
    }

    @Test("A name that cannot be is refused where something is written under it, and leads nowhere elsewhere")
    func names() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(PromptSamples.own, to: "slogan")
            let chinese = "%E6%88%91%E7%9A%84"
            for name in ["Copy2", chinese] {
                let path = "/v1/prompts/\(name)"
                #expect(
                    try await prompts.refusal(.post, path + "/versions", ["text": .string(PromptSamples.own)]) == [
                        "{name} malformed"
                    ])
                #expect(try await prompts.refusal(.put, path + "/labels/next", ["version": 1]) == ["{name} malformed"])
                #expect(try await prompts.send(.get, path).status == .notFound)
            }
            for label in ["Next", chinese, String(repeating: "a", count: 33)] {
                let path = "/v1/prompts/slogan/labels/\(label)"
                #expect(try await prompts.refusal(.put, path, ["version": 1]) == ["{label} malformed"])
                #expect(try await prompts.send(.get, path).status == .notFound)
            }
        }
    }

    @Test("A preview shows what would be sent, and names values that do not fit")
    func preview() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(PromptSamples.own, to: "slogan")
            let path = "/v1/prompts/slogan/versions/1/preview"
            let response = try await prompts.send(
                .post, path, ["values": ["brand": "</data>小白", "count": 3, "tone": "loud"]])
            let preview = try response.decode(PromptPreview.self)
            #expect(preview.reference == "slogan@1" && preview.maxTokens == 110)
            #expect(preview.messages.map(\.role) == ["instructions", "user"])
            #expect(preview.messages[0].content.hasSuffix("写 3 条口号，语气 loud。"))
            #expect(preview.messages[1].content == "<data>\n{\"brand\":\"\\u003c/data\\u003e小白\"}\n</data>")
            #expect(preview.totalBytes == preview.messages.reduce(0) { $0 + $1.content.utf8.count })
            // Up to the first placeholder, which stands after "写 ".
            let stable = try #require(preview.messages[0].content.firstRange(of: "3 条口号"))
            #expect(preview.stableBytes == preview.messages[0].content[..<stable.lowerBound].utf8.count)
            #expect(preview.stableShare == Double(preview.stableBytes) / Double(preview.totalBytes))
            #expect(preview.estimatedTokens > 0 && preview.missing == nil)
            // An optional value that nobody gives leaves a hole, and the preview says where.
            let bare = try await prompts.send(.post, path, ["values": ["brand": "小白", "count": 3]])
            #expect(try bare.decode(PromptPreview.self).missing == ["tone"])
            #expect(
                try await prompts.refusal(.post, path, ["values": ["count": 9, "tone": "soft", "colour": 1]]) == [
                    "/values/brand required", "/values/count out_of_range", "/values/tone unknown_value",
                    "/values/colour unknown_field",
                ])
            let shipped = try await prompts.send(
                .post, "/v1/prompts/title/versions/0/preview",
                ["values": ["topic": "防晒", "platform": "douyin", "count": 5, "maxLength": 30]])
            #expect(try shipped.decode(PromptPreview.self).stableShare > 0.9)
        }
    }

    @Test("A difference is that of the two texts")
    func diff() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(PromptSamples.own, to: "slogan")
            _ = try await prompts.add(PromptSamples.own.replacing("口号，语气", with: "短句，语气"), to: "slogan")
            let diff = try await prompts.get("/v1/prompts/slogan/diff?from=1&to=2", as: PromptDiff.self)
            #expect(diff.added == 1 && diff.removed == 1)
            #expect(
                diff.hunks.first?.lines.filter { $0.kind != "context" } == [
                    PromptDiffLine(kind: "removed", text: "写 {{count}} 条口号，语气 {{tone}}。"),
                    PromptDiffLine(kind: "added", text: "写 {{count}} 条短句，语气 {{tone}}。"),
                ])
            #expect(try await prompts.send(.get, "/v1/prompts/slogan/diff?from=1&to=3").status == .notFound)
            let missing = try await prompts.send(.get, "/v1/prompts/slogan/diff?from=1")
            #expect(try missing.problem().errors?.map(\.pointer) == ["?to"])
        }
    }

    @Test("Another replica follows within moments; a call asks the database only after a change")
    func replicas() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor) { service in
            let prompts = PromptClient(service)
            let other = service.repository()
            let watching = Task { try await other.run() }
            defer { watching.cancel() }
            _ = try await prompts.add(PromptSamples.title("甲版"), to: "title")
            #expect(try await prompts.move("production", of: "title", to: 1).status == .ok)
            try await eventually {
                try await other.resolve("title", for: TestContext.tenant, subject: "x").version.number == 1
            }
            let kept = try await other.resolve("title", for: TestContext.tenant, subject: "x")
            #expect(kept.ref == "title@1")
            #expect(try await other.resolve("title", for: TestContext.otherTenant, subject: "x").version.number == 0)

            // Without its table nothing can be read any more, and nothing needs to be.
            let quiet = service.repository()
            _ = try await quiet.resolve("title", for: TestContext.tenant, subject: "x")
            try await service.database.superuser.query("ALTER TABLE prompt_labels RENAME TO hidden")
            #expect(try await quiet.resolve("title", for: TestContext.tenant, subject: "x").version.number == 1)
            quiet.note(1_000, of: TestContext.tenant)
            // A change that cannot be read leaves the last state.
            #expect(try await quiet.resolve("title", for: TestContext.tenant, subject: "x").version.number == 1)
        }
    }

    @Test("A version that the flow of a later release could not use is not used")
    func outgrown() async throws {
        try await TitleService.run { service in
            let prompts = PromptClient(service)
            _ = try await prompts.add(PromptSamples.title("甲版"), to: "title")
            #expect(try await prompts.move("production", of: "title", to: 1).status == .ok)
            var definition = try #require(ShippedPrompts.all["title"]?.definition)
            definition.variables.append(.init(name: "season", kind: .text(maxLength: 9), isRequired: true, description: ""))
            let later = try PromptVersion(name: "title", number: 0, revision: 9, definition: definition)
            let repository = PromptRepository(shipped: ["title": later], store: service.promptStore, logger: .silent)
            let choice = try await repository.resolve("title", for: TestContext.tenant, subject: "x")
            #expect(choice.ref == "title@0.9" && choice.label == nil)
        }
    }

    @Test("Another tenant's prompts do not exist: not to read, not to move, not to render")
    func tenants() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor) { service in
            let (mine, theirs) = (PromptClient(service), PromptClient(service, tenant: TestContext.otherTenant))
            _ = try await mine.add(PromptSamples.title("只属于甲方的提示词"), to: "title")
            _ = try await mine.add(PromptSamples.own, to: "slogan")
            #expect(try await mine.move("production", of: "title", to: 1).status == .ok)
            #expect(try await mine.move("canary", of: "slogan", to: 1).status == .ok)
            for (method, path, body): (HTTPMethod, String, JSONValue?) in [
                (.get, "/v1/prompts/slogan", nil), (.get, "/v1/prompts/slogan/versions", nil),
                (.get, "/v1/prompts/slogan/versions/1", nil), (.get, "/v1/prompts/slogan/diff?from=1&to=1", nil),
                (.post, "/v1/prompts/slogan/versions/1/preview", ["values": ["brand": "x", "count": 1]]),
                (.get, "/v1/prompts/slogan/labels/canary", nil), (.delete, "/v1/prompts/slogan/labels/canary", nil),
                (.get, "/v1/prompts/slogan/labels/canary/history", nil),
                (.put, "/v1/prompts/slogan/labels/canary", ["version": 1, "expectedVersion": 1]),
                (.post, "/v1/prompts/slogan/rollback", nil), (.get, "/v1/prompts/title/versions/1", nil),
            ] {
                let response = try await theirs.send(method, path, body)
                #expect(response.status == .notFound, "\(method) \(path): \(response.text)")
            }
            #expect(
                try await theirs.refusal(.put, "/v1/prompts/title/labels/canary", ["version": 1]) == ["/version unknown_version"])
            let list = try await theirs.get("/v1/prompts?limit=100", as: Page<PromptSummary>.self)
            #expect(!list.items.contains { $0.name == "slogan" })
            #expect(list.items.allSatisfy { $0.latestVersion == 0 })

            // Both call in turn, so that a cache that forgot the tenant would mix them.
            for _ in 0..<3 {
                #expect(try await service.write().promptVersion == "title@1")
                #expect(try Self.instructions(vendor).contains("只属于甲方的提示词"))
                #expect(
                    try await service.write(tenant: TestContext.otherTenant).promptVersion
                        == ShippedPrompts.all["title"]?.reference)
                #expect(try !Self.instructions(vendor).contains("只属于甲方的提示词"))
            }
            // Their own version of the same name has its own number.
            #expect(try await theirs.add(PromptSamples.title("乙方的"), to: "title").version == 1)
            #expect(try await theirs.move("production", of: "title", to: 1).status == .ok)
            _ = try await service.write(tenant: TestContext.otherTenant)
            #expect(try Self.instructions(vendor).contains("乙方的"))
        }
    }

    @Test("Reading and writing are two permissions")
    func permissions() async throws {
        try await TitleService.run { service in
            let reader = PromptClient(service, scopes: ["prompts:read"])
            let list = try await reader.send(.get, "/v1/prompts")
            #expect(list.status == .ok)
            #expect(
                try await reader.send(.post, "/v1/prompts/slogan/versions", ["text": .string(PromptSamples.own)]).status
                    == .forbidden)
            #expect(try await PromptClient(service, scopes: []).send(.get, "/v1/prompts").status == .forbidden)
        }
    }
}

extension TitleService {
    var promptStore: PromptStore { PromptStore(app: app.runtime.database, system: app.runtime.system) }

    /// As another replica has it.
    func repository() -> PromptRepository {
        PromptRepository(shipped: ShippedPrompts.all, store: promptStore, logger: .silent)
    }
}
