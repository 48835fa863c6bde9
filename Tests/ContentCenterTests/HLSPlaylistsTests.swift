import Testing

@testable import ContentCenter

@Suite struct HLSPlaylistsTests {
    private static let playlist = """
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-MAP:URI="720p.mp4",BYTERANGE="1000@0"
        #EXTINF:4.000000,
        #EXT-X-BYTERANGE:50000@1000
        720p.mp4
        #EXTINF:1.000000,
        #EXT-X-BYTERANGE:25000@51000
        720p.mp4
        #EXT-X-ENDLIST

        """

    @Test func theFileGetsItsAddressWhereverItStands() {
        let url = "http://127.0.0.1:8085/objects/a?type=video%2Fmp4&signature=00"
        #expect(HLSPlaylists.media(Self.playlist, url: url) == Self.playlist.replacing("720p.mp4", with: url))
    }

    @Test func theMasterNamesTheBestFirstWithItsRates() {
        func rendition(_ name: String, _ width: Int, _ height: Int) -> HLSPlaylists.Rendition {
            HLSPlaylists.Rendition(
                name: name, width: width, height: height, codecs: "avc1.640028,mp4a.40.2", frameRate: 25, playlist: Self.playlist)
        }
        // 25,000 bytes in a second are the peak; 75,000 in five the average.
        #expect(
            HLSPlaylists.master([rendition("480p", 854, 480), rendition("720p", 1_280, 720)]) == """
                #EXTM3U
                #EXT-X-VERSION:7
                #EXT-X-INDEPENDENT-SEGMENTS
                #EXT-X-STREAM-INF:BANDWIDTH=200000,AVERAGE-BANDWIDTH=120000,RESOLUTION=1280x720,CODECS="avc1.640028,mp4a.40.2",FRAME-RATE=25.0
                720p.m3u8
                #EXT-X-STREAM-INF:BANDWIDTH=200000,AVERAGE-BANDWIDTH=120000,RESOLUTION=854x480,CODECS="avc1.640028,mp4a.40.2",FRAME-RATE=25.0
                480p.m3u8

                """)
    }
}
