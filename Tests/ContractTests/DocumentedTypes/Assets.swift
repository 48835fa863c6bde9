import DTO
import HTTPCore

/// The files of a tenant.
extension DocumentedTypes {
    static let assets: Types = [
        "AssetMultipart": AssetMultipart.self, "AssetMultipartRequest": AssetMultipartRequest.self, "AssetPart": AssetPart.self,
        "AssetParts": AssetParts.self, "AssetPartURL": AssetPartURL.self, "AssetPartURLs": AssetPartURLs.self,
        "AssetUsage": AssetUsage.self,
        "AssetDownloadURL": AssetDownloadURL.self, "AssetPresignAnswer": AssetPresignAnswer.self,
        "AssetPresignRequest": AssetPresignRequest.self, "AssetUploaded": AssetUploaded.self,
        "AssetUploadHeaders": AssetUploadHeaders.self, "LibraryAsset": LibraryAsset.self,
        "LibraryAssetPage": Page<LibraryAsset>.self,
    ]
}
