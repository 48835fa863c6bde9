import HTTPCore
import HTTPServing
import Testing

@Suite struct RouterTests {
    @Test func findsARoute() async throws {
        var router = Router()
        router.on(.get, "/v1/contents/{id}") { .text(try $0.parameters.string("id")) }
        let answer = try await InProcessClient(router).send(.get, "/v1/contents/a%20b")
        #expect(answer.text == "a b")
    }
}
