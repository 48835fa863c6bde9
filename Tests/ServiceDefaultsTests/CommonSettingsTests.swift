import ConfigReading
import Cryptography
import Foundation
import Observability
import ServiceDefaults
import TestSupport
import Testing

@Suite struct CommonSettingsTests {
    private func variables(for service: ServiceName) -> [String: String] {
        TestApplication.environment(
            for: service, database: Secret("postgres://app@h/db"), system: Secret("postgres://system@h/db"),
            broker: Secret("amqp://h/"))
    }

    private func read(_ service: ServiceName, _ variables: [String: String]) throws -> CommonSettings {
        var reader = EnvironmentReader(variables)
        let settings = CommonSettings(for: service, from: &reader)
        try reader.finish()
        return settings
    }

    @Test(arguments: ServiceName.allCases)
    func readsWhatEveryServiceNeeds(service: ServiceName) throws {
        var variables = variables(for: service)
        for key in ["PORT", "HOST", "LOG_LEVEL", "DRAIN_DEADLINE", "DATABASE_POOL_SIZE"] { variables[key] = nil }
        for callee in ServiceName.allCases { variables[callee.urlKey] = nil }
        let settings = try read(service, variables)
        #expect(settings.port == service.defaultPort && settings.host == "127.0.0.1")
        #expect(settings.logLevel == .info && settings.drainDeadline == .seconds(20) && settings.telemetryEndpoint == nil)
        #expect(settings.contextSigningKey == TestContext.key(of: service))
        #expect(settings.contextPublicKeys == TestContext.publicKeys)
        #expect(Set(settings.upstreamURLs.keys) == Set(CallMap.allowed[service] ?? []))
        for (callee, url) in settings.upstreamURLs { #expect(url == "http://127.0.0.1:\(callee.defaultPort)") }
    }

    @Test func tellsAllProblemsAtOnceWithoutShowingSecrets() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try read(
                .orchestrationService,
                [
                    "PORT": "high", "LOG_LEVEL": "loud", "CONTEXT_SIGNING_KEY": "bm90IDMyIGJ5dGVz",
                    "CONTEXT_PUBLIC_KEYS": "gateway-bff=AAAA,stranger=AAAA", "AGENT_CENTER_URL": "localhost",
                ])
        }
        let keys = try #require(error).problems.map(\.key)
        for key in [
            "PORT", "DATABASE_URL", "SYSTEM_DATABASE_URL", "AMQP_URL", "LOG_LEVEL", "CONTEXT_SIGNING_KEY", "CONTEXT_PUBLIC_KEYS",
            "AGENT_CENTER_URL",
        ] { #expect(keys.contains(key), "\(key)") }
        #expect(keys.filter { $0 == "CONTEXT_PUBLIC_KEYS" }.count == 3)
        #expect(error?.description.contains("bm90IDMyIGJ5dGVz") == false)
    }

    @Test(arguments: [
        ("AMQP_URL", "amqp://user:p4ssw0rd@h:port/", "amqp[s]://"), ("AMQP_URL", "http://user:p4ssw0rd@h/", "amqp[s]://"),
        ("DATABASE_URL", "postgres//user:p4ssw0rd@h/db", "malformed"),
        ("SYSTEM_DATABASE_URL", "postgres://user:p4ssw0rd@[h/db", "malformed"),
        ("AMQP_LEADERLESS_QUEUES", "hope", "recreate, wait"), ("AMQP_EVENTS_TOGETHER", "65", "64"),
    ])
    func tellsOfAddressesThatLeadNowhereWithoutShowingThem(key: String, value: String, words: String) throws {
        var variables = variables(for: .agentCenter)
        variables[key] = value
        let error = try #require(throws: ConfigurationError.self) { try read(.agentCenter, variables) }
        #expect(error.problems.map(\.key) == [key] && error.description.contains(words))
        #expect(!error.description.contains("p4ssw0rd"))
    }

    @Test func wantsTheKeyOfEveryCaller() throws {
        var variables = variables(for: .agentCenter)
        let key = Base64.encode(TestContext.key(of: .gatewayBFF).publicKey.raw)
        variables["CONTEXT_PUBLIC_KEYS"] = "gateway-bff=\(key)"
        let error = #expect(throws: ConfigurationError.self) { try read(.agentCenter, variables) }
        #expect(error?.description.contains("orchestration-service") == true)
    }

    @Test func secretsMayComeFromFiles() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var variables = variables(for: .contentCenter)
        try Data("\(try #require(variables["CONTEXT_SIGNING_KEY"]))\n".utf8).write(to: URL(fileURLWithPath: path))
        variables["CONTEXT_SIGNING_KEY"] = nil
        variables["CONTEXT_SIGNING_KEY_FILE"] = path
        #expect(try read(.contentCenter, variables).contextSigningKey == TestContext.key(of: .contentCenter))
    }
}
