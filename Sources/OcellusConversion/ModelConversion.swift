// SPDX-License-Identifier: Apache-2.0
import Foundation
import OcellusFormat

/// Finds out what a published model is, and plans the files that it becomes.
public enum ModelConversion {
    /// The plans for all files of a model.
    ///
    /// Nothing is written; everything that can be refused is.
    ///
    /// - Throws: `ConversionError`, and `ModelFileError.cannotOpen`.
    public static func plans(
        for model: PublishedModel,
        _ options: ConversionOptions
    ) throws -> [ConversionPlan] {
        for key in ["model_type", "architecture"] where model.settings.has(key) {
            _ = try model.settings.text(key)
        }
        if CobraDescription.describes(model.settings) {
            return try CobraDescription.plans(for: model, options)
        }
        let isVision =
            FastViTDescription.describes(model.settings)
            || VisionDescription.describes(model.settings)
            || MobileNetDescription.describes(model.settings)
        try refuseUnused(options, by: model, isVision: isVision)
        // Before what knows all towers of open_clip.
        if FastViTDescription.describes(model.settings) {
            return [try FastViTDescription.plan(for: model, options)]
        }
        if VisionDescription.describes(model.settings) {
            return [try VisionDescription.plan(for: model, options)]
        }
        if MobileNetDescription.describes(model.settings) {
            return [try MobileNetDescription.plan(for: model, options)]
        }
        guard DecoderSizes.describes(model.settings) else {
            throw ConversionError.unsupported(
                path: model.settings.path,
                what: "not a model that is converted: "
                    + (model.settings.json["model_type"]?.string ?? "no model_type")
            )
        }
        // Mistral's Mamba has one more level.
        let nested = model.checkpoint.removingPrefix("model.")
        let checkpoint = nested.tensors.isEmpty ? model.checkpoint : nested
        if !nested.tensors.isEmpty { try model.checkpoint.expectAll(below: ["model."]) }
        let decoder = try decoder(model, checkpoint, options)
        return [try ConversionPlan(decoder, of: checkpoint, type: options.type)]
    }

    /// Refuses options that a model has no use for.
    private static func refuseUnused(
        _ options: ConversionOptions,
        by model: PublishedModel,
        isVision: Bool
    ) throws(ConversionError) {
        let path = model.settings.path
        if let part = options.vision.first, !model.settings.has("mm_projector_type") {
            throw .unusedOption(
                path: path,
                option: "--vision \(part)",
                why: "no part of this model is published apart"
            )
        }
        guard isVision else { return }
        for (option, value) in [("--tokenizer", options.tokenizer), ("--prompt", options.prompt)]
        where value != nil {
            throw .unusedOption(path: path, option: option, why: "no decoder is converted")
        }
    }

    private static func decoder(
        _ model: PublishedModel,
        _ checkpoint: Checkpoint,
        _ options: ConversionOptions
    ) throws -> FileDescription {
        var file = try MambaDescription.file(try DecoderSizes(model.settings), of: checkpoint)
        addOrigin(of: model, options, to: &file)
        let rowCount = file.tensors[0].shape[0]
        let path = options.tokenizer ?? model.folder
        let tokenizer = try TokenizerSource.addTokenizer(path: path, to: &file, rowCount: rowCount)
        try addPrompt(options, tokenizer, in: TokenizerSource.folder(of: path), to: &file)
        return file
    }

    /// Adds the text around a question, or notes that there is none, or more than is stored.
    private static func addPrompt(
        _ options: ConversionOptions,
        _ tokenizer: TokenizerDescription,
        in folder: String,
        to file: inout FileDescription
    ) throws {
        let description = try PromptStyle.description(in: folder)
        let end = tokenizer.tokens[tokenizer.endOfText]
        let style = description.flatMap { PromptStyle.style(of: $0, end: end) }
        if let template = options.prompt ?? style?.template {
            if !template.isEmpty { file.add("ocellus.prompt.question", .string(template)) }
            guard options.prompt == nil, let description else { return }
            let others = PromptStyle.surroundings(
                of: description,
                addsStart: tokenizer.addsStart
            )
            if !others.isEmpty {
                file.notes.append(
                    "of the chat template in \(folder) only the turns are stored, not "
                        + "\(others.joined(separator: " and ")) before them (--prompt)"
                )
            }
            return
        }
        file.notes.append(
            "no text around a question (--prompt): the tokenizer in \(folder) has "
                + (description == nil ? "no chat template" : "a chat template of another kind")
        )
    }

    /// Adds who made the model, under which licence.
    static func addOrigin(
        of model: PublishedModel,
        _ options: ConversionOptions,
        to file: inout FileDescription
    ) {
        let folder = URL(fileURLWithPath: model.folder).standardizedFileURL.lastPathComponent
        file.add("general.name", .string(options.name ?? folder))
        if let license = options.license ?? model.license {
            file.add("general.license", .string(license))
        }
        if let origin = options.origin { file.add("general.source.url", .string(origin)) }
    }
}
