extension FieldRules {
    /// config.json of AutoencoderKL.
    ///
    /// - Parameter isXL: SDXL alone shifts and scales latents by channel.
    static func vae(isXL: Bool) -> FieldRules {
        var rules = FieldRules(
            followed: [
                "in_channels", "out_channels", "latent_channels", "block_out_channels", "layers_per_block",
                "norm_num_groups", "scaling_factor", "use_quant_conv", "use_post_quant_conv", "mid_block_add_attention",
            ],
            // Sizes come from the UNet; everything is computed in float32.
            harmless: ["sample_size", "force_upcast"],
            fixed: [
                "_class_name": [.text("AutoencoderKL")],
                "act_fn": [.text("silu"), .text("swish")],
                "down_block_types": [.text("DownEncoderBlock2D")],
                "up_block_types": [.text("UpDecoderBlock2D")],
                // The pipelines of SD and SDXL do not shift by it, those of other models do.
                "shift_factor": [.null, .number(0)],
            ])
        if isXL {
            rules.followed.formUnion(["latents_mean", "latents_std"])
        } else {
            rules.fixed["latents_mean"] = [.null]
            rules.fixed["latents_std"] = [.null]
        }
        return rules
    }
}
