import DTO
import HTTPCore

/// The files of a tenant.
extension DocumentedTypes {
    static let assets: Types = [
        "AssetDownloadURL": AssetDownloadURL.self, "AssetPresignAnswer": AssetPresignAnswer.self,
        "AssetPresignRequest": AssetPresignRequest.self, "AssetUploaded": AssetUploaded.self,
        "AssetUploadHeaders": AssetUploadHeaders.self, "LibraryAsset": LibraryAsset.self,
        "LibraryAssetPage": Page<LibraryAsset>.self,
    ]
}
