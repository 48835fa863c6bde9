import ConfigReading
import FoundationEssentials
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Settings")
struct SettingsTests {
    private func read(_ variables: [String: String]) throws -> Settings {
        let url = Secret("postgres://nobody@127.0.0.1:1/none")
        let common = TestApplication.environment(
            for: .agentCenter, database: url, system: url, broker: Secret("amqp://127.0.0.1:1/"))
        var reader = EnvironmentReader(common.merging(variables) { $1 })
        let settings = Settings(from: &reader)
        try reader.finish()
        return settings
    }

    /// The models that a title is asked of, in order.
    private func order(_ variables: [String: String]) throws -> [String] {
        let catalogue = ModelCatalogue.seeded(try read(variables).vendors)
        let routing = Routing(catalogue: CatalogueHolder(catalogue)) { _, _, _ in ScriptedModel([.hang]) }
        return routing.plan(for: .routed(), length: 100, at: Date()).routes.map(\.modelName)
    }

    @Test("Nothing set: no model, the templates write")
    func none() throws {
        #expect(try read([:]).vendors.isEmpty)
        #expect(try read(["OPENAI_MODEL": "gpt-4o"]).vendors.isEmpty)
    }

    @Test("Each vendor that has a key or a base URL is a route; main models come before fallback models")
    func order() throws {
        let both = ["OPENAI_API_KEY": "a", "DEEPSEEK_API_KEY": "b", "OPENAI_FALLBACK_MODEL": "gpt-4o"]
        #expect(try order(both) == ["deepseek-flash", "gpt-4o-mini", "gpt-4o"])
        let turned = both.merging(["MODEL_VENDOR_ORDER": "openai"]) { $1 }
        #expect(try order(turned) == ["gpt-4o-mini", "deepseek-flash", "gpt-4o"])
        let local = try read(["OPENAI_BASE_URL": "http://127.0.0.1:9/v1/", "OPENAI_MODEL": "qwen"]).vendors
        #expect(local.map(\.models) == [["qwen"]])
        #expect(local.map(\.provider.baseURL) == ["http://127.0.0.1:9/v1"])
        #expect(local[0].provider.key.exposed == "none")
    }

    @Test(
        "Only OpenAI's own address is taken for OpenAI, unless the dialect is told",
        arguments: [
            (nil, nil, .openai), ("https://api.openai.com/v1", nil, .openai), ("https://API.OpenAI.com:443/v1", nil, .openai),
            ("http://127.0.0.1:11434/v1", nil, .compatible), ("https://api.openai.com.evil.example/v1", nil, .compatible),
            ("http://127.0.0.1:9/v1", "openai", .openai), (nil, "compatible", .compatible),
        ] as [(String?, String?, ChatProfile.Vendor)])
    func dialect(url: String?, told: String?, dialect: ChatProfile.Vendor) throws {
        var variables = ["OPENAI_API_KEY": "k"]
        variables["OPENAI_BASE_URL"] = url
        variables["OPENAI_DIALECT"] = told
        let provider = try #require(try read(variables).vendors.first?.provider)
        #expect(provider.dialect == dialect)
        // What policies and the ledger call it stays the same.
        #expect(provider.name == "openai")
    }

    @Test("Unknown vendors, strange URLs and zero places are reported together")
    func wrong() {
        let error = #expect(throws: ConfigurationError.self) {
            try read([
                "MODEL_VENDOR_ORDER": "openai,acme,compatible", "OPENAI_BASE_URL": "ftp://x", "OPENAI_DIALECT": "deepseek",
                "MODEL_CONCURRENCY": "0",
            ])
        }
        let keys = Set(error?.problems.map(\.key) ?? [])
        #expect(keys == ["MODEL_VENDOR_ORDER", "OPENAI_BASE_URL", "OPENAI_DIALECT", "MODEL_CONCURRENCY"])
    }

    @Test("A key is never printed")
    func secret() throws {
        #expect(!"\(try read(["OPENAI_API_KEY": "sk-visible"]))".contains("sk-visible"))
    }
}
