import Foundation
import HTTPCore
import HTTPServing
import Testing

@Suite struct RoutingTests {
    private static func router() -> Router {
        var router = Router()
        router.on(.get, "/v1/contents") { .text("list \($0.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|"))") }
        router.on(.post, "/v1/contents", options: RouteOptions(maxBodyBytes: 100)) { request in
            .json(.created, bytes: try request.json().encode(), headers: ["Location": "/v1/contents/1"])
        }
        router.on(.get, "/v1/contents/search") { _ in .text("search") }
        router.on(.get, "/v1/contents/{id}") { .text("one \(try $0.parameters.uuid("id").uuidString.lowercased())") }
        router.on(.get, "/v1/contents/{id}/versions/{number}") {
            .text("\(try $0.parameters.string("id")) \(try $0.parameters.integer("number", in: 1...99))")
        }
        router.on(.get, "/v1/contents/search/{word}") { .text("word \(try $0.parameters.string("word"))") }
        router.on(.get, "/fails") { _ in throw CocoaError(.fileNoSuchFile) }
        router.on(.get, "/context") { request in
            .text(
                "\(request.requestId) \(request.language.rawValue) \(request.route?.pattern ?? "-") \(request.route?.flow ?? "-")"
            )
        }
        return router
    }

    @Test(arguments: Place.allCases) func findsTheMostLiteralRoute(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let id = "0190163d-8694-739b-aea5-966c26f8ad91"
            let expected = [
                "/v1/contents/search": "search",
                "/v1/contents/\(id)": "one \(id)",
                "/v1/contents/search/%E7%A7%8B%20a": "word 秋 a",
                // The literal branch `search` leads nowhere here: the parameter is tried.
                "/v1/contents/search/versions/7": "search 7",
                "/v1/contents?a=1&b=x+y%26z&c": "list a=1|b=x y&z|c=",
            ]
            for (path, text) in expected {
                let answer = try await client.send(.get, path)
                #expect(answer.text == text)
            }
        }
    }

    @Test(
        arguments: Place.allCases,
        [
            "/", "/v1", "/v1/contents/", "//v1/contents", "/v1/contents/not-a-uuid", "/v1/contents/x/versions/100",
            "/v1/contents/x/versions/0", "/v1/contents/a%00b", "/v1/contents/%zz", "/v1/contents/%C3", "/v1/%63ontent",
        ])
    func answers404AsAProblem(_ place: Place, _ path: String) async throws {
        try await place.serving(Self.router()) { client in
            let answer = try await client.send(.get, path, headers: ["Accept-Language": "en"])
            #expect(answer.status == .notFound)
            #expect(answer.headers["Content-Type"] == "application/problem+json")
            let problem = try answer.problem()
            #expect(problem.code == "not_found")
            #expect(problem.title == "Not found")
            #expect(problem.instance == path)
            #expect(problem.requestId == answer.headers["X-Request-Id"])
        }
    }

    @Test(arguments: Place.allCases) func answers405WithAllowAndOptions(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let refused = try await client.send(.delete, "/v1/contents")
            #expect(refused.status == .methodNotAllowed)
            #expect(refused.headers["Allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(try refused.problem().code == "method_not_allowed")
            #expect(try await client.send(HTTPMethod("BREW"), "/v1/contents/search").status == .methodNotAllowed)
            let options = try await client.send(.options, "/v1/contents/search")
            #expect(options.status == .noContent)
            #expect(options.headers["Allow"] == "GET, HEAD, OPTIONS")
        }
    }

    @Test(arguments: Place.allCases) func answersHeadLikeGetWithoutItsBody(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let answer = try await client.send(.head, "/v1/contents/search")
            #expect(answer.status == .ok)
            #expect(answer.headers["Content-Length"] == "6")
            #expect(answer.body.isEmpty)
        }
    }

    @Test func takesJSONInUTF8Only() async throws {
        let client = InProcessClient(Self.router().handler)
        let types: [(String, HTTPStatus)] = [
            ("application/json", .created), ("application/json; charset=utf-8", .created),
            (#"application/json ;Charset="UTF-8""#, .created), ("application/problem+json;charset=utf8;x=y", .created),
            ("application/json; profile=x", .created), ("application/json; charset=gbk", .unsupportedMediaType),
            ("application/json;x=y; charset=utf-16", .unsupportedMediaType), ("application/json; charset=", .created),
        ]
        for (type, status) in types {
            let answer = try await client.send(.post, "/v1/contents", headers: ["Content-Type": type], body: Array("{}".utf8))
            #expect(answer.status == status, "\(type)")
        }
    }

    /// The routes of a group that read no parameters refuse them, behind the group's middleware.
    @Test func refusesParametersThatNobodyReads() async throws {
        var router = Router()
        router.group { group in
            group.on(.get, "/one") { _ in .text("one") }
            group.on(.delete, "/one") { _ in .noContent }
            group.on(.get, "/list", options: RouteOptions().takingQuery) { .text("\($0.query.count)") }
        }
        router.on(.get, "/health") { _ in .text("alive") }
        let client = InProcessClient(router.handler)
        for (method, path, status) in [
            (HTTPMethod.get, "/one", HTTPStatus.ok), (.get, "/one?", .ok), (.get, "/one?colour=1&a", .unprocessableContent),
            (.delete, "/one?force=true", .unprocessableContent), (.get, "/list?a=1", .ok), (.get, "/health?x=1", .ok),
        ] {
            let answer = try await client.send(method, path)
            #expect(answer.status == status, "\(method) \(path)")
        }
        let errors = try await client.send(.get, "/one?colour=1&a").problem().errors
        #expect(errors?.map { "\($0.pointer) \($0.code)" } == ["?colour unknown_field", "?a unknown_field"])
    }

    @Test(arguments: Place.allCases) func takesAndGivesJSON(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let answer = try await client.send(.post, "/v1/contents", json: ["topic": "秋天", "n": 1])
            #expect(answer.status == .created)
            #expect(answer.headers["location"] == "/v1/contents/1")
            #expect(answer.text == #"{"topic":"秋天","n":1}"#)
            let plain = try await client.send(
                .post, "/v1/contents", headers: ["Content-Type": "text/plain"], body: Array("{}".utf8))
            #expect(plain.status == .unsupportedMediaType)
            #expect(plain.headers["Accept"] == "application/json")
            #expect(try await client.send(.post, "/v1/contents", body: Array("{}".utf8)).status == .unsupportedMediaType)
            let withCharset = ["Content-Type": "Application/JSON; charset=utf-8"] as HTTPHeaders
            #expect(try await client.send(.post, "/v1/contents", headers: withCharset, body: Array("{}".utf8)).status == .created)
            let malformed = try await client.send(.post, "/v1/contents", headers: withCharset, body: Array("{".utf8))
            #expect(malformed.status == .badRequest)
            #expect(try malformed.problem().code == "request.malformed_json")
            let doubled = try await client.send(.post, "/v1/contents", headers: withCharset, body: Array(#"{"a":1,"a":2}"#.utf8))
            #expect(doubled.status == .unprocessableContent)
            #expect(try doubled.problem().errors?.map(\.pointer) == ["/a"])
        }
    }

    @Test(arguments: Place.allCases, [101, 5_000, 3_000_000]) func refusesLongBodies(_ place: Place, _ size: Int) async throws {
        try await place.serving(Self.router()) { client in
            let body = [UInt8](repeating: UInt8(ascii: "1"), count: size)
            let answer = try await client.send(.post, "/v1/contents", headers: ["Content-Type": "application/json"], body: body)
            #expect(answer.status == .contentTooLarge)
            #expect(try answer.problem().code == "request.too_large")
            let fits = [UInt8](repeating: UInt8(ascii: "1"), count: 100)
            #expect(
                try await client.send(.post, "/v1/contents", headers: ["Content-Type": "application/json"], body: fits).status
                    == .created)
        }
    }

    @Test(arguments: Place.allCases, ["?a=%00", "?a=%", "?%C3=1"]) func refusesMalformedQueries(
        _ place: Place, _ query: String
    ) async throws {
        try await place.serving(Self.router()) { client in
            let answer = try await client.send(.get, "/v1/contents" + query)
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.first?.code == "malformed")
        }
    }

    @Test(arguments: Place.allCases) func hidesWhatWentWrongInside(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let answer = try await client.send(.get, "/fails")
            #expect(answer.status == .internalServerError)
            #expect(try answer.problem().code == "internal")
            #expect(!answer.text.contains("Cocoa"))
        }
    }

    @Test(arguments: Place.allCases) func keepsOnlyWellFormedRequestIds(_ place: Place) async throws {
        try await place.serving(Self.router()) { client in
            let kept = try await client.send(
                .get, "/context", headers: ["X-Request-Id": "client-id_1", "Accept-Language": "en-GB"])
            #expect(kept.headers["X-Request-Id"] == "client-id_1")
            #expect(kept.text == "client-id_1 en /context -")
            for id in ["short", "with space in it", String(repeating: "x", count: 65)] {
                let replaced = try await client.send(.get, "/context", headers: ["X-Request-Id": id])
                #expect(replaced.headers["X-Request-Id"] != id)
                #expect(replaced.headers["X-Request-Id"]?.count == 32)
            }
        }
    }

    @Test func listsRoutesForContractTests() {
        let routes = Self.router().routes
        #expect(routes.count == 8)
        #expect(routes[1].method == .post && routes[1].pattern == "/v1/contents" && routes[1].options.maxBodyBytes == 100)
    }
}
