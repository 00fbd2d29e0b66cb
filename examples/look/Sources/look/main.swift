// SPDX-License-Identifier: Apache-2.0
import Ocellus
import OcellusCapture

/// Looks at a picture and answers a question about it.
///
///     look MODEL PICTURE "question"
func look(model path: String, picture: String, question: String) throws {
    // The source knows how large its frames are, so the plan can have room for them.
    var source = try FrameSource.open(SourceSettings(path: picture))
    let model = try Model(
        path: path,
        options: SessionOptions(threadCount: 2, maximumFrame: source.maximumFrame)
    )
    print("this takes \(model.plan.requiredBytes) bytes, now and for ever")

    var session = try Session(model)
    guard let slot = session.frameSlot else { return print("this model cannot see") }
    while let frame = try source.next(into: slot) {
        try session.see(frame)
    }

    let prompt = try session.prompt(question)
    var answer = Answer(capacity: 32)
    session.answer(prompt, maximumTokens: 32, into: &answer)
    print(answer.text)
}

let arguments = CommandLine.arguments
if arguments.count == 4 {
    try look(model: arguments[1], picture: arguments[2], question: arguments[3])
} else {
    print("usage: look MODEL PICTURE \"question\"")
}
