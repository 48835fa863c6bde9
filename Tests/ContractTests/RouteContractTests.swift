import ConfigReading
import Foundation
import HTTPCore
import HTTPServing
import ServiceDefaults
import Testing

@testable import GatewayBFF

/// Every route of the code stands in the service's document and the other way round. What the routes answer is compared at the running
/// service: schemas by schemathesis, status codes by Tests/EndToEnd/test_status_codes.py.
@Suite struct RouteContractTests {
    @Test func gateway() async throws { try await expectAgreement(Applications.gateway) }

    @Test func orchestration() async throws { try await expectAgreement(Applications.orchestration) }
    @Test func agentCenter() async throws { try await expectAgreement(Applications.agentCenter) }
    @Test func contentCenter() async throws { try await expectAgreement(Applications.contentCenter) }
    @Test func connector() async throws { try await expectAgreement(Applications.connector) }

    @Test func aWrongRouteIsNoticed() async throws {
        var router = try await router(of: Applications.gateway)
        router.on(.delete, "/api/titles/{id}") { _ in .noContent }
        #expect(try differences(in: router, of: .gatewayBFF) == ["DELETE /api/titles/{id} is served but not documented"])
    }

    @Test func aRouteThatIsOnlyDocumentedIsNoticed() throws {
        let empty = Router()
        #expect(
            try differences(in: empty, of: .deliveryConnectorDouyin) == [
                "GET /healthz is documented but not served", "GET /metrics is documented but not served",
                "GET /readyz is documented but not served",
            ])
    }

    /// The tag of an operation is the route's flow.
    @Test func gatewayTagsAreFlows() throws {
        let tags = try Documents().tags(of: ServiceName.gatewayBFF.rawValue)
        for route in PublicRoutes.all {
            #expect(tags["\(route.method.rawValue) \(route.path)"] == [route.flow], "\(route.path)")
        }
    }

    private func expectAgreement(_ application: any ServiceApplication.Type) async throws {
        #expect(try differences(in: await router(of: application), of: application.name) == [])
    }

    private func differences(in router: Router, of service: ServiceName) throws -> [String] {
        let documented = try Documents().operations(of: service.rawValue)
        let served = Set(router.routes.map { "\($0.method.rawValue) \($0.pattern)" })
        return documented.subtracting(served).sorted().map { "\($0) is documented but not served" }
            + served.subtracting(documented).sorted().map { "\($0) is served but not documented" }
    }

    /// The service as it would run, but nothing of it is started.
    private func router<App: ServiceApplication>(of application: App.Type) async throws -> Router {
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
        return try await App.build(settings, runtime).router
    }
}
