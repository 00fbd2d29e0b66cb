// SPDX-License-Identifier: Apache-2.0
import Foundation
import Ocellus
import OcellusConversion
import OcellusFormat
import OcellusTokenizer
import Testing

/// The text around a question, from the tokenizer's files or as it is asked for.
struct PromptTests {
    /// The template in a converted file, or nil.
    private func template(
        _ options: ConversionOptions = ConversionOptions(),
        configuration: String? = nil
    ) throws -> String? {
        let source = try PublishedFolder("mamba-hf")
        if let configuration {
            try source.write(Data(configuration.utf8), to: "tokenizer_config.json")
        }
        let folder = try TemporaryFolder()
        try convert(source.path, to: folder.path, options)
        let file = try ModelFile(path: folder.file("decoder.gguf"))
        return try? file.string("ocellus.prompt.question")
    }

    @Test
    func `chat templates are recognised by the marks of their turns`() throws {
        #expect(try template() == nil)
        let zephyr = """
            {"chat_template": "{% for m in messages %}{{ '<|user|>\\n' + m.content + eos_token + \
            '\\n<|assistant|>\\n' }}{% endfor %}", "eos_token": "<|endoftext|>"}
            """
        #expect(try template(configuration: zephyr) == PromptStyle.zephyr.template)
        // Phi's turns, and Zephyr's before a tokenizer whose texts end otherwise.
        let phi = """
            {"chat_template": "{{ '<|user|>\\n' + m.content + '<|end|>\\n<|assistant|>\\n' }}{{ eos_token }}"}
            """
        #expect(try template(configuration: phi) == nil)
        let other = zephyr.replacingOccurrences(of: "\"<|endoftext|>\"", with: "\"<|answer|>\"")
        #expect(try template(configuration: other) == nil)
        let chat = #"{"chat_template": "<|im_start|>{{ m.role }}", "eos_token": "<|endoftext|>"}"#
        #expect(try template(configuration: chat) == PromptStyle.chatML.template)
        let named = """
            {"chat_template": [{"name": "tool_use", "template": "<|user|><|assistant|>"}, \
            {"name": "default", "template": "<|im_start|>"}], "eos_token": "<|endoftext|>"}
            """
        #expect(try template(configuration: named) == PromptStyle.chatML.template)
    }

    @Test
    func `a file without a text around a question says so`() throws {
        let source = try PublishedFolder("mamba-hf")
        var options = ConversionOptions()
        func notes() throws -> [String] {
            try ModelConversion.plans(for: PublishedModel(path: source.path), options)
                .flatMap(\.description.notes)
        }
        let none = try notes()
        #expect(none.count == 1)
        #expect(none[0].hasSuffix("\(source.path) has no chat template"), "\(none)")
        options.prompt = ""
        #expect(try notes() == [])
        options.prompt = nil
        try source.write(Data(#"{"chat_template": "{{ m }}"}"#.utf8), to: "tokenizer_config.json")
        #expect(try notes().first?.hasSuffix("a chat template of another kind") ?? false)
        try source.write(Data(#"<|im_start|>"#.utf8), to: "chat_template.jinja")
        #expect(try notes() == [])
    }

    @Test
    func `what a chat template has beside its turns is noted`() throws {
        let source = try PublishedFolder("mamba-hf")
        func notes(_ template: String, _ settings: String = "", prompt: String? = nil) throws
            -> [String]
        {
            let settings = #"{"eos_token": "<|endoftext|>"\#(settings)}"#
            try source.write(Data(settings.utf8), to: "tokenizer_config.json")
            try source.write(Data(template.utf8), to: "chat_template.jinja")
            var options = ConversionOptions()
            options.prompt = prompt
            return try ModelConversion.plans(for: PublishedModel(path: source.path), options)
                .flatMap(\.description.notes)
        }
        let turns = """
            {% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}
            """
        #expect(try notes(turns) == [])
        let system = #"{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}"#
        let both = try notes("{{ bos_token }}" + system + turns)
        #expect(both.count == 1)
        #expect(both[0].hasSuffix("not bos_token and a system message before them (--prompt)"))
        #expect(try notes(system + turns).first?.contains("not a system message") ?? false)
        #expect(
            try notes("{{ bos_token }}" + turns).first?.contains("not bos_token before") ?? false
        )
        // The tokenizer puts it, and who says what stands around a question has no need of a note.
        let start = #", "bos_token": "<|endoftext|>", "add_bos_token": true"#
        #expect(try notes("{{ bos_token }}" + turns, start) == [])
        #expect(try notes("{{ bos_token }}" + turns, prompt: "Q: {}") == [])
        // Zephyr's own takes a message from who asks, another one brings it.
        let zephyr = #"{{ '<|user|>\n' + m.content + eos_token + '<|assistant|>\n' }}"#
        #expect(try notes(#"{{ '<|system|>\n' + m.content + eos_token }}"# + zephyr) == [])
        #expect(
            try notes(#"{{ '<|system|>\nBe kind.' + eos_token }}"# + zephyr).first?
                .contains("not a system message") ?? false
        )
    }

    @Test
    func `all ends of generation_config end an answer`() throws {
        let source = try PublishedFolder("mamba-hf")
        let folder = try TemporaryFolder()
        try source.write(Data(#"{"eos_token_id": [5,5,0]}"#.utf8), to: "generation_config.json")
        try convert(source.path, to: folder.path)
        let vocabulary = try Vocabulary(file: ModelFile(path: folder.file("decoder.gguf")))
        #expect((0..<9).filter(vocabulary.isEnd) == [0, 5])
        try source.write(Data(#"{"eos_token_id": [0, 9999]}"#.utf8), to: "generation_config.json")
        #expect(try refusal(of: source).contains("generation_config.json"))
        #expect(try refusal(of: source).contains("the end token 9999"))
    }

    @Test
    func `what is asked for goes first`() throws {
        var options = ConversionOptions()
        options.prompt = PromptStyle.inOut.template
        #expect(try template(options) == "In: {}\nOut: ")
        options.prompt = ""
        let chat = #"{"chat_template": "<|im_start|>", "eos_token": "<|endoftext|>"}"#
        #expect(try template(options, configuration: chat) == nil)
    }

    @Test
    func `an end that the vocabulary does not have is told`() throws {
        let error = #expect(throws: ConversionError.self) {
            try template(configuration: #"{"eos_token": {"content": "<end>"}}"#)
        }
        #expect(error?.description.contains("no token is known to end a text") ?? false)
    }
}
