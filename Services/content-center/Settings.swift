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
/// | `ASSET_QUOTA_BYTES` | what a tenant may keep of which neither its plan nor `content-center quota` says anything | 107374182400 (100 GB) |
/// | `ASSET_PLAN_QUOTAS` | what the plans allow, `standard=107374182400,pro=1099511627776`; `standard` is everybody's of whom `content-center quota` says nothing else | none |
/// | `MATERIAL_WARNING_DAYS` | how many days before its end a closing material is warned of | 7 |
/// | `SCAN_ADDRESS` | a virus scanner that speaks clamd's INSTREAM, `host:port`; uploads wait for its word | none |
/// | `ASR_BASE_URL` | of a speech recogniser that speaks OpenAI's API, with its `/v1` | `https://api.openai.com/v1` |
/// | `ASR_API_KEY` | its key; secret | none |
/// | `ASR_MODEL`, `ASR_TIMEOUT` | the model there; one file altogether | `whisper-1`, `5m` |
/// | `MEDIA_WORKERS` | media jobs at a time in this process; 0 leaves them to others | 2 |
/// | `MEDIA_WORKERS_PER_TENANT` | how many of them one tenant may have at a time | half of them, at least 1 |
/// | `MEDIA_ONLY` | does media jobs and nothing else: no contents, no object listener | false |
/// | `MEDIA_DIRECTORY` | where jobs work | `media` below `OBJECT_DIRECTORY` |
/// | `MEDIA_SOURCE_ORIGINS` | what a `sourceUrl` may name besides our own: `https://cdn.example.com`, with S3 also `s3://bucket/raw/`, between commas | none |
/// | `MEDIA_TIMEOUT` | how long one run of FFmpeg may take | `2h` |
/// | `MEDIA_MEMORY_BYTES` | what it may take of memory (address space) | 4294967296 (4 GB) |
/// | `S3_BUCKET` | objects live there instead of in the folder | none |
/// | `S3_ENDPOINT`, `S3_REGION` | path style | `https://s3.<region>.amazonaws.com`, `us-east-1` |
/// | `S3_ACCESS_KEY_ID`, `S3_SECRET_ACCESS_KEY`, `S3_SESSION_TOKEN` | the last for temporary credentials; secrets | – |
///
/// The recogniser counts as set when its key or its base URL is.
struct Settings: ServiceSettings {
    let common: CommonSettings
    let objectHost: String
    let objectPort: Int
    let objectURL: String
    let objectDirectory: String
    let objectKey: [UInt8]
    let assetQuotas: AssetQuotas
    let s3: S3Location?
    let scanAddress: VirusScanner.Address?
    let speech: SpeechRecognitionSettings?
    let materialWarningDays: Int
    let mediaWorkers: Int
    let mediaShare: Int
    let mediaOnly: Bool
    let mediaDirectory: String
    let mediaSourceOrigins: [String]
    let mediaTimeout: Duration
    let mediaMemory: Int

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: Application.name, from: &reader)
        objectHost = reader.string("OBJECT_LISTENER_HOST", default: common.host)
        objectPort = reader.int("OBJECT_LISTENER_PORT", default: 8_085, in: 0...65_535)
        objectURL = reader.url("OBJECT_PUBLIC_URL", default: "http://127.0.0.1:\(objectPort)")
        objectDirectory = reader.string("OBJECT_DIRECTORY", default: "objects")
        objectKey = Self.key(common, from: &reader)
        s3 = Self.s3(from: &reader)
        speech = SpeechRecognitionSettings(from: &reader)
        scanAddress = reader.optionalString("SCAN_ADDRESS").flatMap { text in
            if let address = VirusScanner.Address(text) { return address }
            reader.report("SCAN_ADDRESS", "is not host:port")
            return nil
        }
        assetQuotas = Self.quotas(from: &reader)
        materialWarningDays = reader.int("MATERIAL_WARNING_DAYS", default: 7, in: 1...365)
        mediaWorkers = reader.int("MEDIA_WORKERS", default: 2, in: 0...64)
        mediaShare = reader.int("MEDIA_WORKERS_PER_TENANT", default: max(1, mediaWorkers / 2), in: 1...64)
        mediaOnly = reader.bool("MEDIA_ONLY", default: false)
        mediaDirectory = reader.string("MEDIA_DIRECTORY", default: "\(objectDirectory)/media")
        mediaSourceOrigins = reader.list("MEDIA_SOURCE_ORIGINS", default: [])
        mediaTimeout = reader.duration("MEDIA_TIMEOUT", default: .seconds(2 * 3_600))
        mediaMemory = reader.int("MEDIA_MEMORY_BYTES", default: 4 << 30, in: (256 << 20)...Int.max)
        if mediaOnly, mediaWorkers == 0 { reader.report("MEDIA_ONLY", "does nothing with MEDIA_WORKERS=0") }
        for origin in mediaSourceOrigins {
            if origin.hasPrefix(S3Name.scheme) {
                if s3 == nil { reader.report("MEDIA_SOURCE_ORIGINS", "has '\(origin)', which needs S3_BUCKET and its keys") }
                if !S3Name.isPrefix(origin) { reader.report("MEDIA_SOURCE_ORIGINS", "has '\(origin)', which names no bucket") }
            } else if !origin.hasPrefix("https://"), !origin.hasPrefix("http://") {
                reader.report("MEDIA_SOURCE_ORIGINS", "has '\(origin)', which is no origin")
            }
        }
    }

    private static func quotas(from reader: inout EnvironmentReader) -> AssetQuotas {
        var quotas = AssetQuotas(usual: reader.int("ASSET_QUOTA_BYTES", default: 100 << 30, in: 0...Int.max))
        for (plan, text) in reader.pairs("ASSET_PLAN_QUOTAS", default: [:]) {
            guard let bytes = Int(text), bytes >= 0 else {
                reader.report("ASSET_PLAN_QUOTAS", "has '\(text)' for \(plan), which is no number of bytes")
                continue
            }
            quotas.plans[plan] = bytes
        }
        return quotas
    }

    private static func s3(from reader: inout EnvironmentReader) -> S3Location? {
        guard let bucket = reader.optionalString("S3_BUCKET") else { return nil }
        let region = reader.string("S3_REGION", default: "us-east-1")
        return S3Location(
            endpoint: reader.url("S3_ENDPOINT", default: "https://s3.\(region).amazonaws.com"), bucket: bucket,
            signer: SigV4(
                accessKeyId: reader.string("S3_ACCESS_KEY_ID"), secretAccessKey: reader.secret("S3_SECRET_ACCESS_KEY"),
                sessionToken: reader.optionalSecret("S3_SESSION_TOKEN"), region: region))
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
