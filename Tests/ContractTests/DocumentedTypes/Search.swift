import DTO
import HTTPCore

/// Finding what there is: content-center.
extension DocumentedTypes {
    static let search: Types = [
        "SearchAnswer": SearchAnswer.self, "SearchCorrection": SearchCorrection.self, "SearchFacets": SearchFacets.self,
        "SearchFacetValue": SearchFacetValue.self, "SearchHit": SearchHit.self, "SearchTextPart": SearchTextPart.self,
    ]
}
