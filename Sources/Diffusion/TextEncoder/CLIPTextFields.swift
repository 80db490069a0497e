extension FieldRules {
    /// config.json of CLIPTextModel and CLIPTextModelWithProjection.
    static let clipText = FieldRules(
        followed: [
            "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "max_position_embeddings", "layer_norm_eps", "hidden_act", "projection_dim", "eos_token_id",
        ],
        // What concerns training, text generation and the files themselves, from any version of transformers.
        harmless: [
            "add_cross_attention", "attention_dropout", "attn_implementation", "bad_words_ids",
            "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward", "cross_attention_hidden_size",
            "decoder_start_token_id", "diversity_penalty", "do_sample", "dropout", "dtype", "early_stopping",
            "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "finetuning_task",
            "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "id2label", "initializer_factor",
            "initializer_range", "label2id", "length_penalty", "max_length", "min_length", "no_repeat_ngram_size",
            "num_beam_groups", "num_beams", "num_labels", "num_return_sequences", "output_attentions",
            "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type",
            "remove_invalid_values", "repetition_penalty", "return_dict", "return_dict_in_generate", "sep_token_id",
            "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss", "tie_encoder_decoder",
            "tie_word_embeddings", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
            "transformers_version", "typical_p", "use_bfloat16", "use_cache", "use_return_dict",
        ],
        fixed: [
            "architectures": [.text("CLIPTextModel"), .text("CLIPTextModelWithProjection")],
            "is_decoder": [.bool(false)],
            "is_encoder_decoder": [.bool(false)],
            "model_type": [.text("clip_text_model")],
            "pruned_heads": [.object([:])],
            "use_attention_mask": [.bool(false)],
        ])

    /// tokenizer_config.json of CLIPTokenizer.
    static let clipTokenizer = FieldRules(
        followed: [
            "added_tokens_decoder", "additional_special_tokens", "bos_token", "eos_token", "extra_special_tokens",
            "model_max_length", "pad_token", "unk_token",
        ],
        harmless: [
            "auto_map", "backend", "chat_template", "clean_up_tokenization_spaces", "errors", "is_local", "legacy",
            "local_files_only", "max_length", "model_input_names", "name_or_path", "pad_to_multiple_of",
            "pad_token_type_id", "padding", "processor_class", "special_tokens_map_file", "stride", "tokenizer_file",
            "truncation", "truncation_strategy", "trust_remote_code", "use_fast", "cls_token", "sep_token",
            "mask_token",
        ],
        fixed: [
            "add_prefix_space": [.bool(false)],
            "do_lower_case": [.bool(true)],
            "padding_side": [.text("right")],
            "split_special_tokens": [.bool(false)],
            "tokenizer_class": [
                .text("CLIPTokenizer"), .text("CLIPTokenizerFast"), .text("PreTrainedTokenizerFast"),
                .text("TokenizersBackend"),
            ],
            "truncation_side": [.text("right")],
        ])
}
