import FoundationEssentials

/// What keeps folders a tree. The database says the same under races (`asset_folders_stay_a_tree`).
enum FolderRule {
    /// Levels, the top one counted.
    static let maxDepth = 8

    /// Whether a folder may lie there.
    ///
    /// - Parameters:
    ///   - folder: `nil` for a new one.
    ///   - height: levels that come along, its own counted.
    ///   - path: the folder that it shall lie in, and those that that one lies in, up to the top; empty for the top itself.
    static func check(_ folder: UUID?, height: Int, under path: [UUID]) throws(FolderError) {
        if let folder, path.contains(folder) { throw .ring }
        if path.count + height > maxDepth { throw .tooDeep }
    }
}
