import ConfigReading
import Foundation
import HTTPCore
import HTTPServing
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

/// Every route of the code stands in the service's document and the other way round, and what the gateway's table of routes implies
/// stands there too. What the routes take and answer is compared at the running services: query parameters and conditions by
/// Tests/EndToEnd/test_parameters.py, status codes by test_status_codes.py, schemas by answers.py and schemathesis.
@Suite(.apartFromThePool) struct RouteContractTests {
    @Test func gateway() async throws { try await expectAgreement(Applications.gateway) }

    @Test func orchestration() async throws { try await expectAgreement(Applications.orchestration) }
    @Test func agentCenter() async throws { try await expectAgreement(Applications.agentCenter) }
    @Test func contentCenter() async throws { try await expectAgreement(Applications.contentCenter) }
    @Test func connector() async throws { try await expectAgreement(Applications.connector) }
    @Test func objectListener() async throws {
        let parts = try await parts(of: Applications.contentCenter)
        let router = try #require(parts.background.compactMap(Applications.objectListener).first)
        #expect(try differences(in: router, of: "content-center-objects") == [])
    }

    @Test func aWrongRouteIsNoticed() async throws {
        var router = try await router(of: Applications.gateway)
        router.on(.delete, "/api/titles/{id}") { _ in .noContent }
        #expect(
            try differences(in: router, of: ServiceName.gatewayBFF.rawValue) == [
                "DELETE /api/titles/{id} is served but not documented"
            ])
    }

    @Test func aRouteThatIsOnlyDocumentedIsNoticed() throws {
        let empty = Router()
        #expect(
            try differences(in: empty, of: ServiceName.deliveryConnectorDouyin.rawValue) == [
                "GET /healthz is documented but not served", "GET /metrics is documented but not served",
                "GET /readyz is documented but not served",
            ])
    }

    @Test func theGatewaysTableAndItsDocumentSayTheSame() throws {
        let found = try disagreements(with: Documents().operations(of: ServiceName.gatewayBFF.rawValue))
        #expect(found == [])
    }

    @Test(arguments: [ServiceName.orchestrationService, .agentCenter, .contentCenter, .deliveryConnectorDouyin])
    func everyInnerRouteTakesWhatTravelsBesideAContext(service: ServiceName) throws {
        #expect(try unnamedHeaders(in: Documents().operations(of: service.rawValue)) == [])
    }

    @Test func aWrongHeaderOfAnInnerRouteIsNoticed() throws {
        var operations = try Documents().operations(of: ServiceName.contentCenter.rawValue)
        operations["GET /v1/contents"]?.headers.remove("Accept-Language")
        operations["GET /healthz"]?.headers.insert("X-Deadline-Ms")
        #expect(
            unnamedHeaders(in: operations) == [
                "GET /healthz documents X-Deadline-Ms, which is not taken", "GET /v1/contents takes Accept-Language",
            ])
    }

    @Test func aWrongStatusOrHeaderOfTheGatewayIsNoticed() throws {
        var operations = try Documents().operations(of: ServiceName.gatewayBFF.rawValue)
        operations["POST /api/titles"]?.statuses.subtract(["409", "504"])
        operations["GET /api/contents"]?.headers.insert("Idempotency-Key")
        operations["POST /api/copies"]?.headers.remove("Idempotency-Key")
        operations["GET /api/runs"]?.isOpen = true
        operations["GET /api/spaces"]?.tags = ["Runs"]
        operations["PATCH /api/contents/{id}"]?.headers.subtract(["If-Match", "Accept-Language"])
        operations["GET /api/runs/{id}"]?.headers.formUnion(["If-None-Match", "Last-Event-ID", "Range"])
        operations["GET /api/stream"]?.headers.remove("Last-Event-ID")
        let found = try disagreements(with: operations)
        #expect(
            found == [
                "GET /api/contents documents Idempotency-Key, which is not taken", "GET /api/runs needs somebody signed in",
                "GET /api/runs/{id} documents If-None-Match, which is not taken",
                "GET /api/runs/{id} documents Last-Event-ID, which is not taken",
                "GET /api/runs/{id} documents Range, which is not taken", "GET /api/spaces has not the tag ContentFiling",
                "GET /api/stream takes Last-Event-ID", "PATCH /api/contents/{id} takes Accept-Language",
                "PATCH /api/contents/{id} takes If-Match", "POST /api/copies takes Idempotency-Key",
                "POST /api/titles answers 409",
                "POST /api/titles answers 504",
            ])
    }

    /// What the lines of the table imply and the document does not say, or says otherwise. The tag of an operation is the route's flow.
    private func disagreements(with operations: [String: DocumentedOperation]) throws -> [String] {
        let inner = try ServiceName.allCases.reduce(into: [:]) { $0[$1] = try Documents().operations(of: $1.rawValue) }
        return try PublicRoutes.all.flatMap { route -> [String] in
            let name = "\(route.method.rawValue) \(route.path)"
            let operation = try #require(operations[name])
            var found = statuses(of: route, takesBody: operation.takesBody).subtracting(operation.statuses).map {
                "answers \($0)"
            }
            if operation.tags != [route.flow] { found.append("has not the tag \(route.flow)") }
            if operation.isOpen != (route.access == .everyone) {
                found.append(operation.isOpen ? "needs somebody signed in" : "is open to everyone")
            }
            found += differences(taken: try headers(of: route, behind: inner), documented: operation.headers)
            return found.map { "\(name) \($0)" }
        }
        .sorted()
    }

    /// The request headers that a line of the table brings with it. Conditions and preferences are passed on (``Forwarding``), so the
    /// route takes those that the service behind it takes.
    private func headers(
        of route: PublicRoute, behind inner: [ServiceName: [String: DocumentedOperation]]
    ) throws -> Set<String> {
        var taken: Set = ["Accept-Language"]
        if route.idempotency != .none { taken.insert("Idempotency-Key") }
        switch route.target {
        case .stream: taken.insert("Last-Event-ID")
        case .upstream(let service, let path):
            let behind = try #require(
                inner[service]?["\(route.method.rawValue) \(path)"], "\(route.path) leads to \(path), which is not documented")
            taken.formUnion(behind.headers.subtracting(Self.beside))
        case .login, .jwks, .apiKeys: break
        }
        return taken
    }

    /// What travels beside every context and is read before any route (design §4).
    private static let beside: Set = ["X-Operation-Id", "X-Deadline-Ms", "Accept-Language"]

    private func unnamedHeaders(in operations: [String: DocumentedOperation]) -> [String] {
        operations.flatMap { name, operation in
            differences(
                taken: operation.tags == ["Operations"] ? [] : Self.beside,
                documented: operation.headers.intersection(Self.beside)
            ).map { "\(name) \($0)" }
        }
        .sorted()
    }

    private func differences(taken: Set<String>, documented: Set<String>) -> [String] {
        taken.subtracting(documented).map { "takes \($0)" }
            + documented.subtracting(taken).map { "documents \($0), which is not taken" }
    }

    /// The refusals that a line of the table brings with it, whatever the flow behind it answers.
    private func statuses(of route: PublicRoute, takesBody: Bool) -> Set<String> {
        var statuses: Set = ["429"]
        if case .member = route.access { statuses.formUnion(["401", "403"]) }
        // A malformed key; one in use for the same request, or for another one.
        if route.idempotency != .none { statuses.formUnion(["400", "409", "422"]) }
        if case .upstream = route.target { statuses.formUnion(["502", "503", "504"]) }
        if takesBody { statuses.formUnion(["400", "413", "415"]) }
        return statuses
    }

    private func expectAgreement(_ application: any ServiceApplication.Type) async throws {
        #expect(try differences(in: await router(of: application), of: application.name.rawValue) == [])
    }

    private func differences(in router: Router, of document: String) throws -> [String] {
        var documented = Set(try Documents().operations(of: document).keys)
        let served = Set(router.routes.map { "\($0.method.rawValue) \($0.pattern)" })
        // Where GET is answered HEAD is, too; it may be documented, but need not.
        documented.subtract(served.filter { $0.hasPrefix("GET ") }.map { "HEAD \($0.dropFirst(4))" })
        return documented.subtracting(served).sorted().map { "\($0) is documented but not served" }
            + served.subtracting(documented).sorted().map { "\($0) is served but not documented" }
    }

    private func router(of application: any ServiceApplication.Type) async throws -> Router {
        try await parts(of: application).router
    }

    /// The service as it would run, but nothing of it is started.
    private func parts<App: ServiceApplication>(of application: App.Type) async throws -> ServiceParts {
        let seed = Data(repeating: 7, count: 32).base64EncodedString()
        // Any 32 bytes will do as public keys: nothing is verified here.
        let publicKey = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        let names = ServiceName.allCases.map { "\($0.rawValue)=\(publicKey)" }
        var reader = EnvironmentReader([
            "DATABASE_URL": "postgres://app@127.0.0.1:1/none", "SYSTEM_DATABASE_URL": "postgres://system@127.0.0.1:1/none",
            "AMQP_URL": "amqp://guest:guest@127.0.0.1:1/", "CONTEXT_SIGNING_KEY": seed, "ACCESS_TOKEN_SIGNING_KEY": seed,
            "CONTEXT_PUBLIC_KEYS": names.joined(separator: ","),
        ])
        let settings = App.Settings(from: &reader)
        try reader.finish()
        let runtime = ServiceRuntime(name: App.name, settings: settings.common, topology: App.topology)
        return try await App.build(settings, runtime)
    }
}
