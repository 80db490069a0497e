import Testing
import Tuning

@Suite struct AdapterTargetsTests {
    @Test func targetsAreWholeSuffixes() {
        let attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0"
        let feedForward = "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj"
        #expect(AdapterTargets.attention.contains(attention))
        #expect(!AdapterTargets.attention.contains(feedForward))
        #expect(AdapterTargets.feedForward.contains(feedForward))
        #expect(!AdapterTargets.feedForward.contains(attention))
        for path in [attention, feedForward] { #expect(AdapterTargets.attentionAndFeedForward.contains(path)) }
        #expect(!AdapterTargets.attention.contains("block.not_to_q"))
        #expect(!AdapterTargets.attentionAndFeedForward.contains("mid_block.attentions.0.proj_in"))
    }
}
