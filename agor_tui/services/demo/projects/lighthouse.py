"""A Swift app with which skippers log a trip."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/lighthouse-ios",
    name="Lighthouse for iOS",
    remote_url="git@github.com:saltmarsh-labs/lighthouse-ios.git",
    default_branch="main",
    language="swift",
    checkouts=(
        Checkout("main", "main", 2),
        Checkout("offline-charts", "feat/offline-charts", 2, issue=512, pull_request=520),
        Checkout("swift6", "chore/swift-6", None, pull_request=498),
    ),
    topics=(
        Topic(
            titles=(
                "Charts offline: download by region",
                "Offline charts: resume a broken download",
                "Offline charts eat 14 GB",
                "Show what is downloaded on the map 🗺️",
            ),
            prompt="Skippers lose their connection two miles out. Let them download charts by region, resume a "
            "broken "
            "download, and never keep more than 2 GB without asking.",
            symbol="ChartDownloader",
            files=(
                "Lighthouse/Charts/ChartDownloader.swift",
                "Lighthouse/Charts/TileStore.swift",
                "LighthouseTests/ChartDownloaderTests.swift",
            ),
            thinking=(
                "URLSession gives resume data only for downloads that the server marks with an ETag. Ours does "
                "not, so ranges "
                "of 4 MB with a checksum each are simpler and survive a kill of the app.",
            ),
            plan=(
                "Ranges of 4 MB with checksums",
                "Background session",
                "Budget of 2 GB, least recently used first",
                "Outline of what is there on the map",
            ),
            edit=Edit(
                "Lighthouse/Charts/ChartDownloader.swift",
                "        let (url, _) = try await session.download(from: region.url)\n",
                "        for range in region.ranges where !store.has(range) {\n            let (data, _) = try await "
                "session.data(for: range.request)\n            try store.write(data, for: range)\n        }\n",
            ),
            run=(
                "xcodebuild test -scheme Lighthouse -only-testing ChartDownloaderTests",
                "Test Suite 'ChartDownloaderTests' passed at 2026-11-12 10:41:07.\n\t Executed 11 tests, with 0 "
                "failures in "
                "1.204 seconds\n",
            ),
            answer="A region downloads in parts of 4 MB, each with its checksum, and goes on where it stopped, "
            "also after the "
            "app was killed.\n\n```swift\nfor range in region.ranges where !store.has(range) {\n    let (data, _) "
            "= try await "
            "session.data(for: range.request)\n    try store.write(data, for: range)\n}\n```\n\n"
            "- budget: 2 GB, then the app asks\n- the map shows downloaded regions with a quiet outline\n- in the "
            "harbour's "
            "Wi-Fi it updates by itself",
            follow=(
                (
                    "What if the chart changes on the server in the middle?",
                    "The region has a revision. When it changes, parts with the old one are thrown away and the "
                    "outline turns "
                    "grey until the new one is complete.",
                ),
                (
                    "Battery?",
                    "1.8 % for 600 MB on the test phone. Downloads wait for Wi-Fi unless one says otherwise.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Swift 6: data races in the location actor",
                "Swift 6 language mode, module by module",
                "Sendable for the chart models",
            ),
            prompt="Turn on Swift 6 for the `Charts` and `Trips` modules. I do not want `@unchecked Sendable` to "
            "make it quiet.",
            symbol="LocationActor",
            files=("Lighthouse/Location/LocationActor.swift", "Package.swift"),
            thinking=(
                "The delegate calls come on the main thread and jump into the actor without waiting, so two of "
                "them can "
                "overtake each other. An AsyncStream keeps the order.",
            ),
            plan=("Count the warnings", "AsyncStream for locations", "Value types for chart models", "Language mode 6"),
            edit=Edit(
                "Lighthouse/Location/LocationActor.swift",
                "    func locationManager(_ m: CLLocationManager, didUpdateLocations l: [CLLocation]) {\n        "
                "Task { await "
                "add(l) }\n    }\n",
                "    nonisolated func locationManager(_ m: CLLocationManager, didUpdateLocations l: [CLLocation]) "
                "{\n        "
                "continuation.yield(l)\n    }\n",
            ),
            run=("swift build -Xswiftc -warnings-as-errors", "Building for debugging...\nBuild complete! (18.44s)\n"),
            answer="Both modules build in language mode 6 without `@unchecked`.\n\nOne real bug came up: positions "
            "could arrive "
            "**out of order** and the track zigzagged. They go through an `AsyncStream` now.\n\n| module | "
            "warnings before | "
            "after |\n| --- | ---: | ---: |\n| Charts | 61 | 0 |\n| Trips | 34 | 0 |",
            follow=(
                (
                    "Is there a test for the order?",
                    "`testPositionsKeepTheirOrder` sends 1,000 positions from four threads and compares the track.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Trip export as GPX",
                "GPX export: pauses become separate segments",
                "Share sheet for a trip",
                "Export loses the last minute of a trip",
            ),
            prompt="People ask for GPX. Export a trip, with pauses as separate segments, and open the share sheet.",
            symbol="GPXWriter",
            files=("Lighthouse/Trips/GPXWriter.swift", "LighthouseTests/Fixtures/trip.gpx"),
            thinking=(
                "Writing XML by hand is fine for five elements as long as names are escaped. `Åland & back` would "
                "break it "
                "otherwise.",
            ),
            plan=(
                "Writer with escaping",
                "Segments at pauses over 5 minutes",
                "Share sheet",
                "Open in three other apps",
            ),
            edit=Edit(
                "Lighthouse/Trips/GPXWriter.swift",
                '        out += "<name>\\(trip.name)</name>"\n',
                '        out += "<name>\\(trip.name.xmlEscaped)</name>"\n',
            ),
            run=(
                "xmllint --noout --schema gpx.xsd LighthouseTests/Fixtures/trip.gpx",
                "LighthouseTests/Fixtures/trip.gpx validates\n",
            ),
            answer="Export works and validates against the GPX 1.1 schema.\n\n```xml\n<trk>\n  <name>Åland &amp; "
            "back</name>\n  "
            '<trkseg>\n    <trkpt lat="60.0973" lon="19.9348"><time>2026-07-04T09:12:00Z</time></trkpt>\n  '
            "</trkseg>\n"
            "</trk>\n```\n\nThe last minute was lost because the buffer was flushed every 60 s and not at the end "
            "of a trip.",
            follow=(
                (
                    "Add wind and depth as extensions.",
                    "In our own namespace, so that readers who do not know it skip them. Opened in three other "
                    "apps without a "
                    "complaint.",
                ),
            ),
        ),
        Topic(
            titles=(
                "The widget shows yesterday's tide",
                "Widget timeline ends at midnight",
                "Accessibility: tide chart as audio graph",
            ),
            prompt="The home screen widget shows yesterday's tide until one opens the app.",
            symbol="TideProvider",
            files=("LighthouseWidget/TideProvider.swift", "LighthouseWidget/TideEntry.swift"),
            thinking=(
                "The timeline has entries until midnight local time and the policy is `.never`. It has to be "
                "`.atEnd`, and "
                "start with the entry that is valid now.",
            ),
            plan=("Log the timeline", "Policy .atEnd", "Entries for 36 hours"),
            edit=Edit(
                "LighthouseWidget/TideProvider.swift",
                "        completion(Timeline(entries: entries, policy: .never))\n",
                "        completion(Timeline(entries: entries, policy: .atEnd))\n",
            ),
            run=(
                "xcodebuild test -scheme LighthouseWidget",
                "Test Suite 'TideProviderTests' passed.\n\t Executed 6 tests, with 0 failures in 0.211 seconds\n",
            ),
            answer="The timeline ended at midnight and never asked for a new one. It holds 36 hours now and asks "
            "again at its "
            "end.\n\nWithout a connection the widget says **as of 06:00** instead of pretending.",
            follow=(
                (
                    "What does the audio graph sound like?",
                    "Height is pitch, the hours tick by, high and low water have their own sound. `AXChart` does "
                    "the rest.",
                ),
            ),
        ),
    ),
)
