import Cryptography
import FoundationEssentials
import HTTPCore
import Observability

/// What a signed URL of the object listener allows its holder: one method on one object, until an instant, under a media type. All of it
/// is signed; change any of it and the URL is worth nothing (design §9, Objects).
struct ObjectGrant: Sendable, Equatable {
    enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
    }

    /// How many bytes an upload brings.
    enum Size: Sendable, Equatable {
        case exactly(Int)
        case atMost(Int)
    }

    var method: Method
    /// The object's id; it says nothing about its tenant.
    var object: UUID
    /// Of the upload, or under which the download is served.
    var contentType: String
    /// Seconds since 1970, the last that counts.
    var expiresAt: Int
    /// For uploads.
    var size: Size?
    /// Of an upload in parts.
    var part: ObjectPart?
    /// The file name under which a download is saved; without one it is shown.
    var fileName: String?
    /// What the path ends with, such as `mp4`, for players that look at it: FFmpeg fetches no segment of another name (`allowed_segment_extensions`).
    var ending: String?

    /// What the download's `Content-Type` says. Texts are kept in UTF-8 only (`FileInspection`), which browsers do not guess.
    var servedType: String { contentType.hasPrefix("text/") ? contentType + "; charset=utf-8" : contentType }
}

/// One part of an upload: which, and where it belongs in the whole.
struct ObjectPart: Sendable, Equatable {
    /// From 1 on.
    var number: Int
    var offset: Int
    /// Bytes of the whole.
    var total: Int
}

/// How an upload is divided: all parts but the last are of one size.
struct ObjectParts: Sendable, Equatable {
    let size: Int
    let partSize: Int

    var count: Int { (size + partSize - 1) / partSize }

    func part(_ number: Int) -> ObjectPart { ObjectPart(number: number, offset: (number - 1) * partSize, total: size) }

    /// Bytes of one part.
    func size(of number: Int) -> Int { min(partSize, size - (number - 1) * partSize) }
}

/// Writes and reads signed URLs: HMAC-SHA256 over every element of the grant.
struct ObjectSigner: Sendable {
    enum Refusal: Error, Equatable {
        case invalid
        case expired
    }

    private let key: HMACKey

    init(key: [UInt8]) { self.key = HMACKey(key) }

    /// `/objects/{id}?…` or `/objects/{id}.{ending}?…`, to be put behind the listener's public address.
    func target(_ grant: ObjectGrant) -> String {
        var query = "type=\(PercentEncoding.encode(grant.contentType))&expires=\(grant.expiresAt)"
        switch grant.size {
        case .exactly(let size): query += "&size=\(size)"
        case .atMost(let most): query += "&most=\(most)"
        case nil: break
        }
        if let part = grant.part { query += "&part=\(part.number)&offset=\(part.offset)&total=\(part.total)" }
        if let name = grant.fileName { query += "&name=\(PercentEncoding.encode(name))" }
        return
            "/objects/\(grant.object.text)\(grant.ending.map { ".\($0)" } ?? "")?\(query)&signature=\(Hex.encode(signature(of: grant)))"
    }

    /// What a request line claims, if it is ours and still holds.
    ///
    /// - Parameters:
    ///   - object: the path's id, as it stands there: another spelling of the same id is another URL.
    ///   - query: each name may stand once.
    ///   - now: seconds since 1970.
    func grant(
        _ method: ObjectGrant.Method, object: String, query: [(name: String, value: String)], now: Int
    ) throws(Refusal) -> ObjectGrant {
        var values: [String: String] = [:]
        for (name, value) in query {
            guard values.updateValue(value, forKey: name) == nil else { throw .invalid }
        }
        let path = object.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = path.first, let id = UUID(text: String(first)),
            !object.utf8.contains(where: (UInt8(ascii: "A")...UInt8(ascii: "F")).contains),
            let type = values.removeValue(forKey: "type"), let expiry = values.removeValue(forKey: "expires"),
            let expiresAt = Self.number(expiry), let signature = values.removeValue(forKey: "signature")
        else { throw .invalid }
        var grant = ObjectGrant(method: method, object: id, contentType: type, expiresAt: expiresAt)
        if let size = values.removeValue(forKey: "size") {
            guard let size = Self.number(size) else { throw .invalid }
            grant.size = .exactly(size)
        } else if let most = values.removeValue(forKey: "most") {
            guard let most = Self.number(most) else { throw .invalid }
            grant.size = .atMost(most)
        }
        if let part = values.removeValue(forKey: "part") {
            guard let number = Self.number(part), let offset = values.removeValue(forKey: "offset").flatMap(Self.number),
                let total = values.removeValue(forKey: "total").flatMap(Self.number)
            else { throw .invalid }
            grant.part = ObjectPart(number: number, offset: offset, total: total)
        }
        grant.fileName = values.removeValue(forKey: "name")
        if path.count == 2 { grant.ending = String(path[1]) }
        guard values.isEmpty, let claimed = Hex.decode(signature), constantTimeEquals(claimed, self.signature(of: grant)) else {
            throw .invalid
        }
        guard now <= expiresAt else { throw .expired }
        return grant
    }

    /// Every element with its length before it: no two grants have the same text.
    private func signature(of grant: ObjectGrant) -> [UInt8] {
        let size =
            switch grant.size {
            case .exactly(let size): "exactly \(size)"
            case .atMost(let most): "at most \(most)"
            case nil: ""
            }
        var text: [UInt8] = []
        text.reserveCapacity(256)
        let elements = [
            "object.v1", grant.method.rawValue, grant.object.text, grant.contentType, String(grant.expiresAt),
            size,
            grant.fileName.map { "named \($0)" } ?? "",
            grant.part.map { "part \($0.number) at \($0.offset) of \($0.total)" } ?? "",
        ]
        for element in elements + (grant.ending.map { ["ending \($0)"] } ?? []) {
            text.append(contentsOf: String(element.utf8.count).utf8)
            text.append(UInt8(ascii: ":"))
            text.append(contentsOf: element.utf8)
        }
        return key.code(of: text)
    }

    /// One spelling per number.
    private static func number(_ text: String) -> Int? {
        guard let number = Int(text), number >= 0, String(number) == text else { return nil }
        return number
    }
}
