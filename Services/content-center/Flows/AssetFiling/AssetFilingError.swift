import HTTPCore

enum FolderError: Error, Equatable {
    /// No such folder, or another tenant's: the two look the same.
    case notFound
    /// Named in a request's body, here.
    case unknown(pointer: String)
    case nameTaken
    case notEmpty(folders: Int, assets: Int)
    /// It would lie in itself.
    case ring
    case tooDeep
}

extension FolderError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notFound:
            ProblemDescription(
                status: .notFound, code: "folder.not_found", title: LocalizedText(zh: "文件夹不存在", en: "No such folder"))
        case .unknown(let pointer):
            ValidationFailure(pointer: pointer, code: "not_found", zh: "没有这个文件夹", en: "there is no such folder").problem
        case .nameTaken:
            ProblemDescription(
                status: .conflict, code: "folder.name_taken",
                title: LocalizedText(zh: "同一位置已有同名文件夹", en: "A folder of this name lies there already"))
        case .notEmpty(let folders, let assets):
            ProblemDescription(
                status: .conflict, code: "folder.not_empty", title: LocalizedText(zh: "文件夹不为空", en: "The folder is not empty"),
                detail: LocalizedText(
                    zh: "还有 \(folders) 个文件夹和 \(assets) 个素材，请先移走。",
                    en: "\(folders) folders and \(assets) assets lie in it; move them first."))
        case .ring:
            ValidationFailure(
                pointer: "/parentId", code: "ring", zh: "文件夹不能移到自己里面", en: "a folder cannot lie in itself"
            ).problem
        case .tooDeep:
            ValidationFailure(
                pointer: "/parentId", code: "too_deep", zh: "文件夹最多 \(FolderRule.maxDepth) 层",
                en: "folders lie at most \(FolderRule.maxDepth) levels deep"
            ).problem
        }
    }
}

enum AssetFilingError: Error, Equatable {
    /// It is not what the caller has read any more.
    case changed
    /// These members name assets that the tenant does not have.
    case unknownAssets([Int])
    /// These assets would have too many tags.
    case tooManyTags([Int])
}

extension AssetFilingError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .changed:
            ProblemDescription(
                status: .preconditionFailed, code: "asset.changed",
                title: LocalizedText(zh: "素材已被修改", en: "The asset has changed"),
                detail: LocalizedText(zh: "请重新读取后再编辑。", en: "Read it again, then edit that."))
        case .unknownAssets(let places):
            Self.issues(places, "not_found", LocalizedText(zh: "没有这个素材", en: "there is no such asset"))
        case .tooManyTags(let places):
            Self.issues(
                places, "too_many_tags",
                LocalizedText(
                    zh: "一个素材最多 \(LabelChange.maxTags) 个标签", en: "an asset has at most \(LabelChange.maxTags) tags"))
        }
    }

    private static func issues(_ places: [Int], _ code: String, _ message: LocalizedText) -> ProblemDescription {
        ValidationFailure(places.map { FieldIssue(pointer: "/assetIds/\($0)", code: code, message: message) }).problem
    }
}
