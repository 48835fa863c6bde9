import ConcurrencySupport
import Cryptography
import FoundationEssentials
import Glibc
import HTTPCalling
import HTTPCore
import HTTPServing
import Observability

/// Objects in a folder, served and received by this service under URLs that it signs itself. File names are our ids, never a client's.
///
///     writing/<random>              under way; unfinished ones go with their request, or with the sweep
///     arrived/<object>/<sha256>     whole, but looked at by nobody
///     arrived/<object>/whole        the same, in parts: sparse, each part at its place; part.<n> says that it is there
///     kept/<2 digits>/<object>      what downloads are served from
///
/// A move between them is a rename, so the folder must be on one file system. Replicas share the folder, or use S3.
final class LocalObjectStore: ObjectStore {
    private let directory: String
    private let publicURL: String
    private let signer: ObjectSigner
    private let recent = RecentObjects()
    /// Disks block: their calls never run on an event loop.
    private let pool = BlockingPool(name: "objects", threads: 8, queueLimit: 4_096)

    /// - Parameter publicURL: the object listener's, as clients reach it.
    init(directory: String, publicURL: String, signer: ObjectSigner) {
        self.directory = directory
        self.publicURL = publicURL
        self.signer = signer
    }

    deinit { pool.shutdown() }

    /// Makes the folders; done anew is no harm.
    func prepare() async throws {
        try await pool.run { [directory] in
            try Files.makeDirectories(directory)
            for name in ["writing", "arrived", "kept"] { try Files.makeDirectory("\(directory)/\(name)") }
        }
    }

    private func arrivals(_ object: UUID) -> String { "\(directory)/arrived/\(object.text)" }

    /// By the last digits: those of a UUIDv7 are random.
    private func path(_ object: UUID) -> String { "\(shard(object))/\(object.text)" }

    private func shard(_ object: UUID) -> String { "\(directory)/kept/\(object.text.suffix(2))" }

    private func newFile() async throws -> ObjectFile {
        let path = "\(directory)/writing/\(Random.token(bytes: 18))"
        return try await pool.run { try ObjectFile(creating: path) }
    }

    /// A new file, for `body` to fill. Where that fails nothing is left of it when this returns: removed in a task of its own, since the
    /// caller's may have been cancelled.
    private func writing<Value>(_ body: (ObjectFile) async throws -> Value) async throws -> Value {
        let file = try await newFile()
        do { return try await body(file) } catch {
            await Task { [pool] in try? await pool.run { file.abandon() } }.value
            throw error
        }
    }

    // MARK: What the listener does

    /// Takes an upload in. The body goes to the disk as it comes and is never held whole.
    ///
    /// - Returns: its SHA-256.
    /// - Throws: ``ObjectFailure/wrongSize`` where it is not as long as the grant says, ``ObjectFailure/kept`` where the upload was
    ///   completed already; then nothing is left of it.
    func receive(_ body: IncomingBody, as grant: ObjectGrant) async throws -> [UInt8] {
        let kept = path(grant.object)
        guard try await pool.run({ Files.status(kept) == nil }) else { throw ObjectFailure.kept }
        if let part = grant.part { return try await receive(body, as: part, grant) }
        return try await writing { try await receive(body, as: grant, into: $0) }
    }

    private func receive(_ body: IncomingBody, as grant: ObjectGrant, into file: ObjectFile) async throws -> [UInt8] {
        let most =
            switch grant.size {
            case .exactly(let size), .atMost(let size): size
            case nil: 0
            }
        var received = 0
        while let piece = try await body.next() {
            received += piece.count
            // A body without a length says only so how long it is.
            guard received <= most else { throw ObjectFailure.wrongSize }
            try await pool.run { try file.write(piece) }
        }
        let arrivals = arrivals(grant.object)
        return try await pool.run {
            let (size, sha256) = try file.finish()
            do {
                if case .exactly(let wanted)? = grant.size, size != wanted { throw ObjectFailure.wrongSize }
                try Files.makeDirectory(arrivals)
                let name = Hex.encode(sha256)
                try Files.move(file.path, to: "\(arrivals)/\(name)")
                // What was sent before under the same URL fills no disk.
                for other in Files.names(in: arrivals) where other != name { try Files.remove("\(arrivals)/\(other)") }
            } catch {
                try Files.remove(file.path)
                throw error
            }
            return sha256
        }
    }

    /// A part goes to its place in the whole at once; sent again, it replaces what was there.
    private func receive(_ body: IncomingBody, as part: ObjectPart, _ grant: ObjectGrant) async throws -> [UInt8] {
        guard case .exactly(let size)? = grant.size else { throw ObjectFailure.signatureInvalid }
        let arrivals = arrivals(grant.object)
        let file = try await pool.run {
            try Files.makeDirectory(arrivals)
            return try PartFile(in: arrivals, part: part, size: size)
        }
        while let piece = try await body.next() { try await pool.run { try file.write(piece) } }
        return try await pool.run { try file.finish() }
    }

    /// A kept object; a descriptor is the caller's own.
    func open(_ object: UUID) async throws -> StoredFile? {
        if let file = recent.take(object) { return file }
        let path = path(object)
        return try await pool.run { [recent] in
            guard let (descriptor, size) = try Files.open(path) else { return nil }
            var file = StoredFile.descriptor(descriptor, size: size)
            if size <= RecentObjects.heldSize {
                defer { close(descriptor) }
                file = .bytes(try Files.read(descriptor, path, at: 0, count: size))
            }
            recent.put(file, of: object)
            // Removed in between: then it was forgotten before it was put there.
            if Files.status(path) == nil { recent.forget(object) }
            return file
        }
    }

    /// A copy of what is elsewhere, to look at; ``forget(_:)`` it afterwards.
    func copy(_ body: ResponseBody) async throws -> (path: String, size: Int, sha256: [UInt8]) {
        try await writing { file in
            for try await piece in body { try await pool.run { try file.write(piece) } }
            let (size, sha256) = try await pool.run { try file.finish() }
            return (file.path, size, sha256)
        }
    }

    /// Moves a copy to where it is wanted.
    func hand(over copy: String, to path: String) async throws {
        try await pool.run {
            defer { try? Files.remove(copy) }
            guard try Files.link(copy, to: path) else { throw ObjectGone() }
        }
    }

    /// Of a file of ours.
    ///
    /// - Throws: ``ObjectGone``
    func size(of path: String) async throws -> Int {
        try await pool.run {
            guard let status = Files.status(path) else { throw ObjectGone() }
            return status.size
        }
    }

    /// A part of a file of ours, exactly so long.
    ///
    /// - Throws: ``ObjectGone``
    func piece(of path: String, at place: Int, count: Int) async throws -> [UInt8] {
        try await pool.run {
            guard let (descriptor, _) = try Files.open(path) else { throw ObjectGone() }
            defer { close(descriptor) }
            let bytes = try Files.read(descriptor, path, at: place, count: count)
            guard bytes.count == count else { throw ObjectGone() }
            return bytes
        }
    }

    func remove(file path: String) async throws { try await pool.run { try Files.remove(path) } }

    /// Removes a copy, soon.
    func forget(_ path: String) { Task { [pool] in try await pool.run { try Files.remove(path) } } }

    // MARK: ObjectStore

    /// What was looked at is what has arrived itself.
    func forget(_ arrived: ArrivedObject) {}

    /// The folder comes with the first part.
    func beginParts(of object: UUID, contentType: String) async throws {}

    func arrivedParts(of object: UUID) async throws -> [Int] {
        let arrivals = arrivals(object)
        return try await pool.run { Self.parts(in: arrivals).sorted() }
    }

    private static func parts(in arrivals: String) -> [Int] {
        Files.names(in: arrivals).compactMap { $0.hasPrefix("part.") ? Int($0.dropFirst("part.".count)) : nil }
    }

    func arrived(_ object: UUID, in parts: ObjectParts?) async throws -> ArrivedObject? {
        let (arrivals, kept) = (arrivals(object), path(object))
        return try await pool.run {
            if let parts, Self.whole(in: arrivals) == nil { try Self.seal(parts, in: arrivals) }
            if let file = Self.whole(in: arrivals) {
                return ArrivedObject(object: object, size: file.size, sha256: file.sha256, path: file.path)
            }
            // Moved over before, by one who then died.
            guard let (descriptor, size) = try Files.open(kept) else { return nil }
            defer { close(descriptor) }
            return ArrivedObject(object: object, size: size, sha256: try Self.hash(descriptor, kept), path: kept)
        }
    }

    /// What has arrived in one piece, or was sealed; sent twice, the later one counts.
    private static func whole(in arrivals: String) -> (path: String, size: Int, sha256: [UInt8])? {
        let files = Files.names(in: arrivals).compactMap { name -> (path: String, size: Int, sha256: [UInt8], age: Int)? in
            let path = "\(arrivals)/\(name)"
            guard let sha256 = Hex.decode(name), sha256.count == 32, let status = Files.status(path) else { return nil }
            return (path, status.size, sha256, status.seconds)
        }
        return files.min { $0.age < $1.age }.map { ($0.path, $0.size, $0.sha256) }
    }

    /// Gives an upload in parts the name of its hash, where all of them are there and none is on its way: from then on no part reaches it,
    /// and what is looked at is what is kept.
    private static func seal(_ parts: ObjectParts, in arrivals: String) throws {
        guard Set(Self.parts(in: arrivals)).isSuperset(of: 1...parts.count), let gate = try PartGate(in: arrivals, alone: true)
        else {
            return
        }
        defer { gate.close() }
        let path = "\(arrivals)/whole"
        // Looked at once more: a part that came anew before has taken its mark away.
        guard Set(Self.parts(in: arrivals)).isSuperset(of: 1...parts.count), let (descriptor, _) = try Files.open(path) else {
            return
        }
        defer { close(descriptor) }
        try Files.move(path, to: "\(arrivals)/\(Hex.encode(hash(descriptor, path)))")
    }

    static func hash(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
        var hash = SHA256.Stream()
        var offset = 0
        while true {
            let bytes = try Files.read(descriptor, path, at: offset, count: 1 << 20)
            if bytes.isEmpty { return hash.finish() }
            bytes.withUnsafeBytes { hash.update($0) }
            offset += bytes.count
        }
    }

    func keep(_ arrived: ArrivedObject) async throws {
        let (arrivals, shard, kept) = (arrivals(arrived.object), shard(arrived.object), path(arrived.object))
        try await pool.run {
            try Files.makeDirectory(shard)
            do {
                if arrived.path != kept { try Files.move(arrived.path, to: kept) }
            } catch let failure as FileFailure where failure.code == ENOENT {
                throw ObjectGone()
            }
            try Files.removeDirectory(arrivals)
        }
    }

    func discard(_ object: UUID) async throws {
        let arrivals = arrivals(object)
        try await pool.run { try Files.removeDirectory(arrivals) }
    }

    func put(_ bytes: [UInt8], as object: UUID) async throws {
        let (shard, path) = (shard(object), path(object))
        try await writing { file in
            try await pool.run {
                try Files.makeDirectory(shard)
                try file.write(bytes)
                _ = try file.finish()
                try Files.move(file.path, to: path)
            }
        }
    }

    func read(_ object: UUID, atMost limit: Int) async throws -> [UInt8]? {
        let path = path(object)
        return try await pool.run {
            guard let (descriptor, size) = try Files.open(path) else { return nil }
            defer { close(descriptor) }
            return size <= limit ? try Files.read(descriptor, path, at: 0, count: size) : nil
        }
    }

    func fetch(_ object: UUID, to copy: String) async throws -> Bool {
        let path = path(object)
        return try await pool.run { try Files.link(path, to: copy) }
    }

    func keep(file: String, as object: UUID) async throws {
        let (shard, path) = (shard(object), path(object))
        try await pool.run {
            try Files.makeDirectory(shard)
            try Files.sync(file)
            try Files.move(file, to: path)
        }
    }

    func object(shownBy url: String) -> ShownObject {
        guard url.hasPrefix(publicURL + "/objects/") else { return .elsewhere }
        let request = Request(.get, String(url.dropFirst(publicURL.count)))
        guard request.pathSegments.count == 2, let object = request.pathSegments.last,
            let grant = try? signer.grant(.get, object: object, query: request.query, now: ObjectRoutes.clock())
        else { return .refused }
        return .object(grant.object, mediaType: grant.contentType)
    }

    func remove(_ object: UUID) async throws {
        let path = path(object)
        try await pool.run { [recent] in
            try Files.remove(path)
            recent.forget(object)
        }
    }

    func uploadURL(_ grant: ObjectGrant) -> String { publicURL + signer.target(grant) }

    func partURLs(_ grants: [ObjectGrant]) async throws -> [String] { grants.map(uploadURL) }

    func downloadURL(_ grant: ObjectGrant) -> String { publicURL + signer.target(grant) }

    func sweep(olderThan age: Duration) async throws {
        let seconds = Int(age.components.seconds)
        try await pool.run { [directory, recent] in
            recent.dropOld()
            let writing = "\(directory)/writing"
            for name in Files.names(in: writing) {
                if let status = Files.status("\(writing)/\(name)"), status.seconds >= seconds {
                    try Files.remove("\(writing)/\(name)")
                }
            }
            for object in Files.names(in: "\(directory)/arrived") {
                let path = "\(directory)/arrived/\(object)"
                if let status = Files.status(path), status.seconds >= seconds { try Files.removeDirectory(path) }
            }
        }
    }
}
