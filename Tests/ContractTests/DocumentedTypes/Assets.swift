import DTO
import HTTPCore

/// The files of a tenant.
extension DocumentedTypes {
    static let assets: Types = [
        "AssetCue": AssetCue.self, "AssetCues": AssetCues.self, "AssetCuesEdit": AssetCuesEdit.self,
        "AssetMultipart": AssetMultipart.self, "AssetMultipartRequest": AssetMultipartRequest.self, "AssetPart": AssetPart.self,
        "AssetParts": AssetParts.self, "AssetPartURL": AssetPartURL.self, "AssetPartURLs": AssetPartURLs.self,
        "AssetUsage": AssetUsage.self, "AssetPreview": AssetPreview.self, "AssetWatermark": AssetWatermark.self,
        "AssetFolder": AssetFolder.self, "AssetFolderPage": Page<AssetFolder>.self,
        "AssetFolderPatch": AssetFolderPatch.self, "AssetOrganizing": AssetOrganizing.self, "AssetPatch": AssetPatch.self,
        "AssetRights": AssetRights.self, "AssetRightsExpired": AssetRightsExpired.self,
        "AssetRightsExpiring": AssetRightsExpiring.self, "AssetRightsPatch": AssetRightsPatch.self,
        "AssetsOrganized": AssetsOrganized.self, "AssetTagRenaming": AssetTagRenaming.self,
        "AssetTag": AssetTag.self, "AssetTags": AssetTags.self, "AssetTagRenamingResult": AssetTagRenamingResult.self,
        "AssetTagsRenamed": AssetTagsRenamed.self,
        "AssetUse": AssetUse.self, "AssetUsePage": AssetUses.self, "AssetHolder": AssetHolder.self,
        "NewAssetFolder": NewAssetFolder.self,
        "AssetDownloadURL": AssetDownloadURL.self, "AssetPresignAnswer": AssetPresignAnswer.self,
        "AssetPresignRequest": AssetPresignRequest.self, "AssetUploaded": AssetUploaded.self,
        "AssetUploadHeaders": AssetUploadHeaders.self, "LibraryAsset": LibraryAsset.self,
        "LibraryAssetPage": Page<LibraryAsset>.self,
    ]
}
