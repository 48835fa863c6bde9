import FoundationEssentials

/// Where the bytes of assets are. What clients send arrives apart from what is kept: only what has been looked at moves over, and nobody
/// can write there.
protocol ObjectStore: Sendable {
    /// Makes ready for an upload in parts; said again, it is no harm.
    func beginParts(of object: UUID, contentType: String) async throws

    /// An upload that has arrived whole; `nil` where none has.
    ///
    /// - Parameter parts: of an upload in parts, which must all be there.
    func arrived(_ object: UUID, in parts: ObjectParts?) async throws -> ArrivedObject?

    /// What was made to look at it is needed no more, whatever became of it.
    func forget(_ arrived: ArrivedObject)

    /// The numbers of the parts that have arrived, in their order.
    func arrivedParts(of object: UUID) async throws -> [Int]

    /// Moves an arrived upload to the kept objects, under its own id.
    ///
    /// - Throws: ``ObjectGone``.
    func keep(_ arrived: ArrivedObject) async throws

    /// Forgets an upload, arrived or under way.
    func discard(_ object: UUID) async throws

    /// Keeps bytes that did not come by a signed URL.
    func put(_ bytes: [UInt8], as object: UUID) async throws

    /// A kept object's bytes; `nil` where there is none, or where it is longer.
    func read(_ object: UUID, atMost limit: Int) async throws -> [UInt8]?

    /// A kept object's bytes as a local file, which nothing else happens to; remove it afterwards.
    ///
    /// - Returns: whether there is such an object.
    func fetch(_ object: UUID, to path: String) async throws -> Bool

    /// Keeps a local file of ours, which is gone then.
    func keep(file path: String, as object: UUID) async throws

    /// What a download's URL shows.
    func object(shownBy url: String) -> ShownObject

    /// An address under which we read, with rights of our own, what is none of our objects but lies where they do; `nil` where this store has
    /// none to give.
    func address(of name: S3Name, seconds: Int) -> String?

    /// Removes a kept object; one that is not there is removed already.
    func remove(_ object: UUID) async throws

    /// The address by which a client sends the bytes.
    func uploadURL(_ grant: ObjectGrant) -> String

    /// The addresses by which a client sends parts of one upload.
    ///
    /// - Throws: ``ObjectGone`` where the upload is over.
    func partURLs(_ grants: [ObjectGrant]) async throws -> [String]

    /// The address by which anybody who has it reads a kept object.
    func downloadURL(_ grant: ObjectGrant) -> String

    /// Removes what uploads have left behind that nobody completed.
    func sweep(olderThan age: Duration) async throws
}

extension ObjectStore {
    func address(of name: S3Name, seconds: Int) -> String? { nil }

    /// Removes all there may be of an upload that no asset will ever own: arrived, under way, or moved over already.
    func clear(_ object: UUID) async throws {
        try await discard(object)
        try await remove(object)
    }
}

/// What stands behind an address.
enum ShownObject: Sendable, Equatable {
    /// One of ours, under a URL that holds.
    case object(UUID, mediaType: String)
    /// One of ours, by a name that anybody may know: whose it is and what says its row.
    case named(UUID)
    /// It looks like ours, but its signature is wrong, its time is over, or it names what nobody may fetch.
    case refused
    case elsewhere
}

/// An arrived upload is not where it was: somebody else moved it over.
struct ObjectGone: Error, Equatable {}

/// An upload as it arrived.
struct ArrivedObject: Sendable, Equatable {
    let object: UUID
    let size: Int
    /// 32 bytes.
    let sha256: [UInt8]
    /// A local file with the bytes, to look at.
    let path: String
    /// What was looked at, where the store can tell; only that is kept.
    var version: String?
}
