// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusConversion
import OcellusFormat
import Testing

/// The licence in the front matter of README.md, as model cards have it.
struct ModelCardTests {
    @Test(arguments: [
        ("---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("---\r\nlicense: apache-2.0\r\n---\r\n# Model\r\n", "apache-2.0"),
        ("\u{FEFF}--- \nlicense:   mit  # as the code is\n---\n", "mit"),
        ("---\nlicense: \"apache-2.0\" # quoted\n---\n", "apache-2.0"),
        ("---\nlicense: 'cc-by-nc-4.0'\n---\n", "cc-by-nc-4.0"),
        (
            "---\ntags:\n- vision\nlicense:\n- mit\n- 'apache-2.0'\nlanguage: en\n---\n",
            "mit, apache-2.0"
        ),
        ("---\nlicense: [mit, \"apache-2.0\"]\n---\n", "mit, apache-2.0"),
        ("---\nlicense: other\nlicense_name: falcon-mamba-license\n---\n", "falcon-mamba-license"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense: c#-like\n---\n", "c#-like"),
        ("---\nlicense:\nlanguage: en\n---\n", nil), ("---\nlicense: null\n---\n", nil),
        ("---\n# license: mit\nbase:\n  license: mit\n---\nlicense: mit\n", nil),
        ("# Model\n---\nlicense: mit\n---\n", nil), ("", nil),
    ])
    func `a licence`(text: String, expected: String?) throws {
        let source = try PublishedFolder("mamba-hf")
        // What follows may be in any encoding.
        try source.write(Data(text.utf8) + [0xE9, 0x0A], to: "README.md")
        let folder = try TemporaryFolder()
        try convert(source.path, to: folder.path)
        let file = try ModelFile(path: folder.file("decoder.gguf"))
        let license = try? file.string("general.license")
        #expect(license == expected)
    }
}
