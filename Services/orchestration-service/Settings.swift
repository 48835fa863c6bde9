import ConfigReading
import DTO
import ServiceDefaults

/// What this service reads from its environment, beside the common keys (see ``CommonSettings``). Each key also as `KEY_FILE`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `IMAGE_BASE_URL` | of an image service that speaks OpenAI's API, with its `/v1` | `https://api.openai.com/v1` |
/// | `IMAGE_API_KEY` | its key; secret | none |
/// | `IMAGE_PROVIDER` | whose prices hold: a provider of agent-center's price table | `openai` |
/// | `IMAGE_MODEL` | the model there | `gpt-image-1` |
/// | `IMAGE_SIZE` | pixels by shape | `square=1024x1024,portrait=1024x1536,landscape=1536x1024` |
/// | `IMAGE_CONNECT_TIMEOUT` | until the connection stands | `5s` |
/// | `IMAGE_TIMEOUT` | one picture altogether | `2m` |
/// | `RUN_RETENTION_DAYS` | how long runs are shown after their end, in days | 90 |
///
/// The image service counts as set when its key or its base URL is. Without it, image-texts keep the prompts of their pictures.
struct Settings: ServiceSettings {
    let common: CommonSettings
    let images: ImageServiceSettings?
    let runRetentionDays: Int

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: Application.name, from: &reader)
        images = ImageServiceSettings(from: &reader)
        runRetentionDays = reader.int("RUN_RETENTION_DAYS", default: 90, in: 1...3_650)
    }
}

struct ImageServiceSettings: Sendable {
    let baseURL: String
    let key: Secret
    let model: ImageModel
    let sizes: [ImageShape: String]
    let connectTimeout: Duration
    let timeout: Duration

    private static let usualSizes = ["square": "1024x1024", "portrait": "1024x1536", "landscape": "1536x1024"]

    /// - Returns: `nil` where no image service is set; malformed keys are reported all the same.
    init?(from reader: inout EnvironmentReader) {
        let key = reader.optionalSecret("IMAGE_API_KEY")
        let ownURL = reader.optionalURL("IMAGE_BASE_URL")
        model = ImageModel(
            provider: reader.string("IMAGE_PROVIDER", default: "openai"),
            name: reader.string("IMAGE_MODEL", default: "gpt-image-1"))
        sizes = Self.sizes(reader.pairs("IMAGE_SIZE", default: Self.usualSizes), &reader)
        connectTimeout = reader.duration("IMAGE_CONNECT_TIMEOUT", default: .seconds(5))
        timeout = reader.duration("IMAGE_TIMEOUT", default: .seconds(120), in: .seconds(1) ... .seconds(900))
        guard key != nil || ownURL != nil else { return nil }
        // Local servers look at no key, but some want to see one.
        self.key = key ?? Secret("none")
        baseURL = ownURL ?? "https://api.openai.com/v1"
    }

    private static func sizes(_ pairs: [String: String], _ reader: inout EnvironmentReader) -> [ImageShape: String] {
        var sizes: [ImageShape: String] = [:]
        for (name, size) in pairs.sorted(by: { $0.key < $1.key }) {
            let sides = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            if let shape = ImageShape(rawValue: name), sides.count == 2, sides.allSatisfy({ (64...8_192).contains($0 ?? 0) }) {
                sizes[shape] = size
            } else {
                reader.report(
                    "IMAGE_SIZE", "has '\(name)=\(size)'; it takes square, portrait and landscape, each as e.g. 1024x1536")
            }
        }
        return sizes.merging(ImageShape.allCases.map { ($0, usualSizes[$0.rawValue] ?? "1024x1024") }) { own, _ in own }
    }
}
