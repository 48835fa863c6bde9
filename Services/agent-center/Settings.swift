import ConfigReading
import Cryptography
import ServiceDefaults

/// The settings of agent-center beside the common ones (see `CommonSettings`). Each key also as `KEY_FILE`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `OPENAI_API_KEY` | key for OpenAI or a compatible server; secret | none |
/// | `OPENAI_BASE_URL` | with its `/v1`; enough alone: the key is `none` then | `https://api.openai.com/v1` |
/// | `OPENAI_DIALECT` | `openai`, or `compatible`: `max_tokens`, nothing newer | by the base URL: `openai` at api.openai.com |
/// | `OPENAI_MODEL`, `OPENAI_FALLBACK_MODEL` | models there | `gpt-4o-mini`, none |
/// | `DEEPSEEK_API_KEY` | key for DeepSeek; secret | none |
/// | `DEEPSEEK_BASE_URL` | as above | `https://api.deepseek.com` |
/// | `DEEPSEEK_MODEL`, `DEEPSEEK_FALLBACK_MODEL` | models there | `deepseek-flash`, none |
/// | `MODEL_VENDOR_ORDER` | who is asked first | `deepseek,openai` |
/// | `MODEL_CONNECT_TIMEOUT` | until the connection stands | `2s` |
/// | `MODEL_FIRST_TOKEN_TIMEOUT` | until the answer begins | `10s` |
/// | `MODEL_IDLE_TIMEOUT` | between two pieces of an answer | `10s` |
/// | `MODEL_TOTAL_TIMEOUT` | one call altogether | `2m` |
/// | `MODEL_CONCURRENCY` | calls to one model at a time | 64 |
/// | `DATA_ENCRYPTION_KEYS` | seals stored provider keys: `id=base64 of 32 bytes`, the current one first; secret | none: none stored |
/// | `MODEL_STREAMING` | ask for streams: life shows earlier, each token costs an event | `false` |
///
/// A vendor counts as configured when its key or its base URL is set. The first vendor's model is the primary route; the next
/// vendor's, or else the same vendor's fallback model, is asked when it fails. With none configured the template library writes
/// the titles.
struct Settings: ServiceSettings {
    let common: CommonSettings
    /// In the order they are asked.
    let vendors: [ModelCatalogue.Configured]
    let timeouts: RouteTimeouts
    let modelConcurrency: Int
    let streamsModels: Bool
    let dataKeys: KeyRing?

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: .agentCenter, from: &reader)
        let known: [ChatProfile.Vendor: ModelCatalogue.Configured] = [
            .openai: Self.vendor(.openai, prefix: "OPENAI", url: "https://api.openai.com/v1", model: "gpt-4o-mini", &reader),
            .deepseek: Self.vendor(
                .deepseek, prefix: "DEEPSEEK", url: "https://api.deepseek.com", model: "deepseek-flash", &reader),
        ].compactMapValues { $0 }
        var order: [ChatProfile.Vendor] = []
        for word in reader.list("MODEL_VENDOR_ORDER", default: ["deepseek", "openai"]) {
            if let vendor = ChatProfile.Vendor(rawValue: word), vendor != .compatible, !order.contains(vendor) {
                order.append(vendor)
            } else {
                reader.report("MODEL_VENDOR_ORDER", "names '\(word)'; it may name openai and deepseek, each once")
            }
        }
        order += ChatProfile.Vendor.allCases.filter { !order.contains($0) }
        vendors = order.compactMap { known[$0] }
        timeouts = RouteTimeouts(
            connect: reader.duration("MODEL_CONNECT_TIMEOUT", default: .seconds(2)),
            firstToken: reader.duration("MODEL_FIRST_TOKEN_TIMEOUT", default: .seconds(10)),
            idle: reader.duration("MODEL_IDLE_TIMEOUT", default: .seconds(10)),
            total: reader.duration("MODEL_TOTAL_TIMEOUT", default: .seconds(120)))
        modelConcurrency = reader.int("MODEL_CONCURRENCY", default: 64, in: 1...10_000)
        dataKeys = reader.optionalSecret("DATA_ENCRYPTION_KEYS").flatMap { setting in
            do {
                return try KeyRing(setting: setting)
            } catch {
                reader.report("DATA_ENCRYPTION_KEYS", "is not usable: \(error)")
                return nil
            }
        }
        streamsModels = reader.bool("MODEL_STREAMING", default: false)
    }

    private static func vendor(
        _ vendor: ChatProfile.Vendor, prefix: String, url: String, model: String, _ reader: inout EnvironmentReader
    ) -> ModelCatalogue.Configured? {
        let key = reader.optionalSecret("\(prefix)_API_KEY")
        let ownURL = reader.optionalURL("\(prefix)_BASE_URL")
        let name = reader.string("\(prefix)_MODEL", default: model)
        let fallback = reader.optionalString("\(prefix)_FALLBACK_MODEL")
        let told = vendor == .openai ? reader.optionalString("OPENAI_DIALECT") : nil
        if let told, told != ChatProfile.Vendor.openai.rawValue, told != ChatProfile.Vendor.compatible.rawValue {
            reader.report("OPENAI_DIALECT", "is '\(told)'; it may be openai or compatible")
        }
        guard key != nil || ownURL != nil else { return nil }
        // Local servers look at no key, but some want to see one.
        let anyKey = key ?? Secret("none")
        var base = ownURL ?? url
        while base.hasSuffix("/") { base.removeLast() }
        return ModelCatalogue.Configured(
            provider: .init(
                name: vendor.rawValue, dialect: vendor == .openai ? dialect(told, base) : vendor, baseURL: base, key: anyKey),
            models: [name] + (fallback.map { [$0] } ?? []))
    }

    /// Behind OpenAI's variables stands OpenAI, or any server that speaks its protocol: nobody but OpenAI is taken for OpenAI.
    private static func dialect(_ told: String?, _ base: String) -> ChatProfile.Vendor {
        if let told { return told == ChatProfile.Vendor.openai.rawValue ? .openai : .compatible }
        let host = base.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first?.lowercased() ?? ""
        return host.split(separator: ":").first == "api.openai.com" ? .openai : .compatible
    }
}
