import ConfigReading
import Cryptography
import ServiceDefaults

/// The settings of content-center beside the common ones (see `CommonSettings`). Each key also as `KEY_FILE`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `OBJECT_LISTENER_HOST`, `OBJECT_LISTENER_PORT` | where uploads and downloads are taken; port 0 = any free one | `HOST`, 8085 |
/// | `OBJECT_PUBLIC_URL` | the same as clients reach it: signed URLs begin so | `http://127.0.0.1:` and the port |
/// | `OBJECT_DIRECTORY` | where the bytes are; replicas share it | `objects` |
/// | `OBJECT_SIGNING_KEY` | signs URLs: 32 bytes in base64, the same for all replicas; secret | made from `CONTEXT_SIGNING_KEY` |
struct Settings: ServiceSettings {
    let common: CommonSettings
    let objectHost: String
    let objectPort: Int
    let objectURL: String
    let objectDirectory: String
    let objectKey: [UInt8]

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: Application.name, from: &reader)
        objectHost = reader.string("OBJECT_LISTENER_HOST", default: common.host)
        objectPort = reader.int("OBJECT_LISTENER_PORT", default: 8_085, in: 0...65_535)
        objectURL = reader.url("OBJECT_PUBLIC_URL", default: "http://127.0.0.1:\(objectPort)")
        objectDirectory = reader.string("OBJECT_DIRECTORY", default: "objects")
        objectKey = Self.key(common, from: &reader)
    }

    private static func key(_ common: CommonSettings, from reader: inout EnvironmentReader) -> [UInt8] {
        guard let text = reader.optionalSecret("OBJECT_SIGNING_KEY") else {
            return HMAC.sha256(key: common.contextSigningKey.seed, Array("content-center object URLs".utf8))
        }
        guard let key = Base64.decode(text.exposed), key.count == 32 else {
            reader.report("OBJECT_SIGNING_KEY", "is not 32 bytes in base64")
            return []
        }
        return key
    }
}
