extension FieldRules {
    /// What concerns training and the files themselves, from any version of transformers.
    private static let idle: Set<String> = [
        "add_cross_attention", "attention_dropout", "attention_probs_dropout_prob", "attn_implementation",
        "bad_words_ids",
        "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward", "cross_attention_hidden_size",
        "decoder_start_token_id", "diversity_penalty", "do_sample", "drop_path_rate", "dropout", "dtype",
        "early_stopping",
        "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty", "finetuning_task",
        "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "hidden_dropout_prob", "id2label",
        "initializer_factor", "initializer_range", "label2id", "length_penalty", "max_length", "min_length",
        "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_labels", "num_return_sequences",
        "output_attentions", "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type",
        "remove_invalid_values", "repetition_penalty", "return_dict", "return_dict_in_generate", "sep_token_id",
        "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss", "tie_encoder_decoder",
        "tie_word_embeddings", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
        "transformers_version",
        "typical_p", "use_bfloat16", "use_cache", "use_return_dict",
    ]

    /// config.json of CLIPVisionModel and CLIPVisionModelWithProjection, and the `vision_config` of CLIPModel.
    static let clipVision = FieldRules(
        followed: [
            "hidden_act", "hidden_size", "image_size", "intermediate_size", "layer_norm_eps", "num_attention_heads",
            "num_hidden_layers", "patch_size", "projection_dim",
        ],
        harmless: idle,
        fixed: [
            "architectures": [.text("CLIPVisionModelWithProjection"), .text("CLIPVisionModel")],
            "is_decoder": [.bool(false)],
            "is_encoder_decoder": [.bool(false)],
            "model_type": [.text("clip_vision_model")],
            "num_channels": [.number(3)],
            "pruned_heads": [.object([:])],
        ])

    /// config.json of CLIPModel, around the configurations of its two encoders.
    static let clip = FieldRules(
        followed: ["projection_dim", "vision_config", "vision_config_dict"],
        // The text encoder is not run.
        harmless: idle.union(["logit_scale_init_value", "text_config", "text_config_dict"]),
        fixed: [
            "architectures": [.text("CLIPModel")],
            "model_type": [.text("clip")],
        ])

    /// config.json of Dinov2Model.
    static let dinov2 = FieldRules(
        followed: [
            "hidden_act", "hidden_size", "image_size", "layer_norm_eps", "mlp_ratio", "num_attention_heads",
            "num_hidden_layers", "patch_size", "qkv_bias",
        ],
        // The last three but one are of Dinov2Backbone; the scales of layers are in the weights.
        harmless: idle.union([
            "apply_layernorm", "out_features", "out_indices", "reshape_hidden_states", "stage_names",
            "layerscale_value",
            "use_mask_token",
        ]),
        fixed: [
            "architectures": [.text("Dinov2Model")],
            "model_type": [.text("dinov2")],
            "num_channels": [.number(3)],
            "pruned_heads": [.object([:])],
            "use_swiglu_ffn": [.bool(false)],
        ])

    /// preprocessor_config.json of CLIPImageProcessor and BitImageProcessor, which CLIP and DINOv2 use.
    static let imageProcessor = FieldRules(
        followed: [
            "crop_size", "do_center_crop", "do_normalize", "do_rescale", "do_resize", "image_mean", "image_std",
            "rescale_factor", "size",
        ],
        harmless: [
            "data_format", "default_to_square", "device", "disable_grouping", "feature_extractor_type",
            "image_processor_type", "input_data_format", "processor_class", "return_tensors",
        ],
        fixed: [
            // Images are converted whatever it says: those that are read have red, green and blue.
            "do_convert_rgb": [.bool(true), .bool(false)],
            "do_pad": [.bool(false)],
            // Pillow's number of bicubic filtering.
            "resample": [.number(3)],
        ])
}
