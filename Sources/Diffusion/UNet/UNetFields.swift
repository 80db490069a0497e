extension FieldRules {
    /// config.json of UNet2DConditionModel.
    static let unet = FieldRules(
        followed: [
            "sample_size", "in_channels", "out_channels", "flip_sin_to_cos", "freq_shift", "down_block_types",
            "up_block_types", "mid_block_type", "block_out_channels", "layers_per_block", "downsample_padding",
            "norm_num_groups", "norm_eps", "cross_attention_dim", "transformer_layers_per_block",
            "reverse_transformer_layers_per_block", "attention_head_dim", "num_attention_heads",
            "use_linear_projection", "addition_embed_type", "addition_time_embed_dim", "time_embedding_dim",
            "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim", "conv_in_kernel", "conv_out_kernel",
            "projection_class_embeddings_input_dim",
        ],
        // Everything is computed in float32; dropout is for training; the last belongs to another kind of embedding.
        harmless: ["upcast_attention", "dropout", "addition_embed_type_num_heads"],
        fixed: [
            "_class_name": [.text("UNet2DConditionModel")],
            "act_fn": [.text("silu"), .text("swish")],
            "attention_type": [.text("default")],
            "center_input_sample": [.bool(false)],
            "class_embed_type": [.null],
            "class_embeddings_concat": [.bool(false)],
            "cross_attention_norm": [.null],
            "dual_cross_attention": [.bool(false)],
            "encoder_hid_dim": [.null],
            "encoder_hid_dim_type": [.null],
            "mid_block_only_cross_attention": [.null, .bool(false)],
            "mid_block_scale_factor": [.number(1)],
            "num_class_embeds": [.null],
            "only_cross_attention": [.bool(false)],
            "resnet_out_scale_factor": [.number(1)],
            "resnet_skip_time_act": [.bool(false)],
            "resnet_time_scale_shift": [.text("default")],
            "time_embedding_type": [.text("positional")],
        ])
}
