import Cryptography
import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of the asset library.
enum AssetUploadInput {
    static let filenameLength = 1...200
    static let scopeLength = 1...100
    static let largestSize = 5 << 30

    /// S3's least and what is quick to send again; 5 GB are 320 of the usual parts.
    static let partSize = (5 << 20)...(1 << 30)
    static let usualPartSize = 16 << 20
    static let mostParts = 10_000

    static func newUpload(_ json: JSONValue) throws -> NewUpload {
        var fields = FieldReader(json)
        let upload = newUpload(&fields)
        try fields.finish()
        guard let upload else { throw InternalFailure() }
        return upload
    }

    static func multipart(_ json: JSONValue) throws -> (upload: NewUpload, partSize: Int) {
        var fields = FieldReader(json)
        let upload = newUpload(&fields)
        let partSize = fields.integer("partSize", in: partSize, default: usualPartSize)
        if let upload, upload.size == nil, !fields.has("size") {
            fields.refuse("size", code: "required", zh: "必填", en: "is required")
        } else if let size = upload?.size, size > partSize * mostParts {
            fields.refuse("partSize", code: "out_of_range", zh: "最多 \(mostParts) 个分片", en: "makes more than \(mostParts) parts")
        }
        try fields.finish()
        guard let upload else { throw InternalFailure() }
        return (upload, partSize)
    }

    static func parts(_ query: [(name: String, value: String)]) throws -> (first: Int, count: Int) {
        var query = QueryReader(query)
        let first = query.integer("from", in: 1...mostParts, default: 1)
        let count = query.integer("count", in: 1...1_000, default: 100)
        try query.finish()
        return (first, count)
    }

    /// - Returns: `nil` only where an issue was recorded.
    private static func newUpload(_ fields: inout FieldReader) -> NewUpload? {
        let filename = fields.text("filename", length: filenameLength)
        let type = fields.choice("contentType", of: FileType.self)
        let scope = fields.optionalText("scope", length: scopeLength)
        let size = fields.optionalInteger("size", in: 1...largestSize)
        let sha256 = fields.optionalText("sha256", length: 1...64).map { text -> [UInt8] in
            if let bytes = Hex.decode(text), bytes.count == 32 { return bytes }
            fields.refuse("sha256", code: "malformed", zh: "应为 64 位十六进制数", en: "must be 64 hexadecimal digits")
            return []
        }
        if let issue = FileNameRule.check(filename) ?? type.flatMap({ FileNameRule.checkEnding(of: filename, $0) }) {
            fields.refuse("filename", code: issue.code, zh: issue.message.zh, en: issue.message.en)
        }
        let folderId = fields.optionalUUID("folderId")
        let tags = fields.has("tags") ? FilingInput.tags(in: &fields) : []
        let watermark = fields.optionalObject("watermark", MediaJobsInput.mark)
        if watermark != nil, let type, !type.isShown {
            fields.refuse("watermark", code: "not_available", zh: "仅用于图片和视频", en: "is for pictures and videos")
        }
        if let type {
            if let size, size > type.largest {
                fields.refuse(
                    "size", code: "out_of_range", zh: "\(type.rawValue) 最大 \(type.largest) 字节",
                    en: "a \(type.rawValue) has at most \(type.largest) bytes")
            }
        }
        return type.map { type in
            NewUpload(
                filename: filename, type: type, scope: scope, size: size, sha256: sha256, folderId: folderId, tags: tags,
                watermark: watermark)
        }
    }
}

/// What a file may be called: a name, not a way to somewhere, and nothing that a screen shows otherwise than a file system reads it.
enum FileNameRule {
    static func check(_ name: String, as type: FileType) -> (code: String, message: LocalizedText)? {
        check(name) ?? checkEnding(of: name, type)
    }

    /// A name that has an ending has one of its type's.
    static func checkEnding(of name: String, _ type: FileType) -> (code: String, message: LocalizedText)? {
        guard let ending = ending(of: name), !type.extensions.contains(ending) else { return nil }
        let list = type.extensions.map { "." + $0 }.joined(separator: ", ")
        return (
            "wrong_extension", LocalizedText(zh: "\(type.rawValue) 的扩展名应为 \(list)", en: "a \(type.rawValue) ends in \(list)")
        )
    }

    static func check(_ name: String) -> (code: String, message: LocalizedText)? {
        if name.contains(where: { $0 == "/" || $0 == "\\" || $0 == ":" }) || name == "." || name == ".." {
            return ("path", LocalizedText(zh: "只能是文件名，不能带路径", en: "must be a name without a path"))
        }
        // Marks of direction turn `gpj.exe` around.
        if name.hasInvisibleCharacters {
            return ("invisible_character", LocalizedText(zh: "不能含有不可见字符", en: "must not contain invisible characters"))
        }
        if name.first == "." || name.last == "." || name.last == " " || name.first == " " {
            return ("malformed", LocalizedText(zh: "不能以点或空格开头或结尾", en: "must not begin or end with a dot or a space"))
        }
        return nil
    }

    /// Lower case, without the dot; `nil` where there is none.
    static func ending(of name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
        return name[name.index(after: dot)...].lowercased()
    }
}

extension [UInt8] {
    /// Lower case.
    var hexadecimal: String { Hex.encode(self) }
}
