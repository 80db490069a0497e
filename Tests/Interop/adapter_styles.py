"""Model folders and adapters as other programs write them, for adapter_interop.py: small models that have the structure of SD-1.5
and SDXL (Tests/Goldens/make_goldens.py), and adapters under every name that people meet.

What diffusers loads must give diffusers' images. What it does not load (a CP-decomposed convolution, DoRA under kohya's names)
is folded into its weights here, by the formula.
"""
import importlib.util, json, pathlib, re, shutil
import numpy as np
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file
from transformers import CLIPTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ROOT / "datasets" / "tiny-sd"
PROMPTS = ["a red circle and a blue square", "three pink stars"]
STEPS, GUIDANCE, SEED = 6, 5.0, 42


def goldens():
    spec = importlib.util.spec_from_file_location("make_goldens", ROOT / "Tests/Goldens/make_goldens.py")
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    return module


# --- models ------------------------------------------------------------------------------------------------------------------

def save_models(work):
    """sd15-mini and sdxl-mini as today's diffusers and transformers save them."""
    tokenizer = CLIPTokenizer.from_pretrained(TINY / "tokenizer")
    none = dict(safety_checker=None, feature_extractor=None)
    found = {}
    for name, parts in goldens().models():
        if name == "sd21-mini": continue
        xl = name == "sdxl-mini"
        pipe = StableDiffusionXLPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, add_watermarker=False, **parts) if xl \
            else StableDiffusionPipeline(tokenizer=tokenizer, requires_safety_checker=False, **parts, **none)
        found[name] = work / name
        pipe.save_pretrained(found[name])
        assert not (found[name] / "tokenizer" / "vocab.json").exists(), "transformers writes tokenizer.json alone"
    return found


def other_layouts(work, base):
    """The same SD-1.5 model in the layouts of the Hub: where, and the option that Attune wants."""
    pipe = load(base)
    fp16 = work / "fp16-alone"
    pipe.save_pretrained(fp16, variant="fp16")
    both = work / "fp16-and-plain"
    shutil.copytree(base, both)
    other = load(base)
    with torch.no_grad():
        for part in (other.unet, other.text_encoder, other.vae):
            for p in part.parameters(): p.mul_(1.01)
    other.save_pretrained(both, variant="fp16")
    sharded = work / "fp16-sharded"
    pipe.save_pretrained(sharded, variant="fp16", max_shard_size="300KB")
    assert list((sharded / "unet").glob("*.index.fp16.json")), "the UNet is in several files"
    return [("fp16 alone", fp16, [], None), ("plain beside fp16", both, [], None), ("--variant fp16", both, ["--variant", "fp16"], "fp16"),
            ("fp16 in several files", sharded, [], "fp16")]


def textual_inversion(work):
    """tiny-sd with two learnt words, saved whole, as today's transformers and as older ones do."""
    pipe = StableDiffusionPipeline.from_pretrained(TINY, safety_checker=None, torch_dtype=torch.float32)
    pipe.tokenizer.add_tokens(["<cat-toy>", "<My Style>"])
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
    torch.manual_seed(4)
    with torch.no_grad(): pipe.text_encoder.get_input_embeddings().weight[-2:] = torch.randn(2, pipe.text_encoder.config.hidden_size) * 0.4
    new, old = work / "inversion-new", work / "inversion-old"
    pipe.save_pretrained(new)
    shutil.copytree(new, old)
    for file in (old / "tokenizer").iterdir(): file.unlink()
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"): shutil.copy(TINY / "tokenizer" / name, old / "tokenizer")
    (old / "tokenizer" / "added_tokens.json").write_text(json.dumps({"<cat-toy>": 630, "<My Style>": 631}))
    return [("textual inversion, new", new), ("textual inversion, old", old)]


def load(folder, variant=None):
    pipe = DiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, variant=variant)
    kind = EulerDiscreteScheduler if hasattr(pipe, "text_encoder_2") else DDIMScheduler
    pipe.scheduler = kind.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def images(pipe, prompts=PROMPTS):
    made = []
    for prompt in prompts:
        more = dict(height=64, width=64) if hasattr(pipe, "text_encoder_2") else {}
        out = pipe(prompt, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=torch.Generator().manual_seed(SEED),
                   output_type="np", **more)
        made.append(np.round(out.images[0] * 255).astype(int))
    return np.stack(made)


# --- adapters ----------------------------------------------------------------------------------------------------------------

ATTENTION = r"attn\d\.to_[qkv]$|attn\d\.to_out\.0$|ff\.net\.(0\.proj|2)$"
TEXT = r"self_attn\.[qkv]_proj$|self_attn\.out_proj$|mlp\.fc\d$"


def text_path(path, front):
    """transformers 5 leaves out `text_model.` in one of its two classes."""
    return path if path == "text_projection" else front + path.removeprefix("text_model.")


class Factors:
    """Random factors of the layers of a pipeline that match, by component and path."""

    def __init__(self, pipe, unet="", text="", rank=4, mid=False, dora=False, seed=5):
        torch.manual_seed(seed)
        self.layers = {}
        for component, pattern in [("unet", unet), ("text_encoder", text), ("text_encoder_2", text)]:
            network = getattr(pipe, component, None)
            if network is None or not pattern: continue
            for path, module in network.named_modules():
                if not re.search(pattern, path) or not isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)): continue
                w = module.weight; k = list(w.shape[2:]); inputs = w.shape[1]; ones = [1] * len(k)
                entry = dict(up=torch.randn(w.shape[0], rank, *ones) * 0.4)
                if mid and k and k != [1, 1]:
                    entry.update(down=torch.randn(rank, inputs, *ones) * inputs ** -0.5, mid=torch.randn(rank, rank, *k) * 0.2)
                else:
                    entry.update(down=torch.randn(rank, inputs, *k) * w[0].numel() ** -0.5)
                if dora: entry["scale"] = w.flatten(1).norm(dim=1) * (1 + 0.1 * torch.randn(w.shape[0]))
                self.layers[component, path] = entry

    def fold(self, pipe, alpha):
        """Into the weights of a pipeline, by the formula."""
        for (component, path), e in self.layers.items():
            module = getattr(pipe, component).get_submodule(path)
            rank = e["up"].shape[1]; up = e["up"].flatten(1)
            if "mid" in e: delta = torch.einsum("op,pqhw,qi->oihw", up, e["mid"], e["down"].flatten(1))
            else: delta = (up @ e["down"].flatten(1)).reshape(module.weight.shape)
            with torch.no_grad():
                w = module.weight + alpha / rank * delta
                if "scale" in e: w = w * (e["scale"] / w.flatten(1).norm(dim=1)).reshape(-1, *[1] * (w.dim() - 1))
                module.weight.copy_(w)
        return pipe

    def kohya(self, alpha, names=lambda path: path, dtype=torch.float32, te="lora_te_"):
        out = {}
        for (component, path), e in self.layers.items():
            front = {"unet": "lora_unet_", "text_encoder": te, "text_encoder_2": "lora_te2_"}[component]
            full = names(path) if component == "unet" else text_path(path, "text_model.")
            name = front + full.replace(".", "_")
            out[name + ".lora_down.weight"] = e["down"].to(dtype).contiguous()
            out[name + ".lora_up.weight"] = e["up"].to(dtype).contiguous()
            if "mid" in e: out[name + ".lora_mid.weight"] = e["mid"].to(dtype).contiguous()
            if "scale" in e: out[name + ".dora_scale"] = e["scale"].reshape(-1, *[1] * (e["down"].dim() - 1)).to(dtype).contiguous()
            out[name + ".alpha"] = alpha.clone()
        return out

    def dotted(self, down, up, rename=lambda component, path: path, text_front="text_model."):
        out = {}
        for (component, path), e in self.layers.items():
            full = path if component == "unet" else text_path(path, text_front)
            name = f"{component}.{rename(component, full)}"
            out[name + down], out[name + up] = e["down"].contiguous(), e["up"].contiguous()
        return out


def original(path):
    """A layer's name in the original SDXL code, which kohya's scripts keep; two layers a level."""
    words = path.split("."); rest = words[4:]
    inner = {"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}
    rest = [inner.get(w, w) for w in rest] if "resnets" in words else rest
    kind = {"resnets": "0", "attentions": "1"}
    if words[0] == "down_blocks":
        level, part, layer = int(words[1]), words[2], int(words[3])
        if part == "downsamplers": return f"input_blocks.{3 * level + 3}.0.op"
        return ".".join([f"input_blocks.{3 * level + layer + 1}.{kind[part]}"] + rest)
    if words[0] == "up_blocks":
        level, part, layer = int(words[1]), words[2], int(words[3])
        if part == "upsamplers": return f"output_blocks.{3 * level + 2}.2.conv"
        return ".".join([f"output_blocks.{3 * level + layer}.{kind[part]}"] + rest)
    if words[0] == "mid_block":
        rest = [inner.get(w, w) for w in words[3:]] if words[1] == "resnets" else words[3:]
        return ".".join([f"middle_block.{1 if words[1] == 'attentions' else 2 * int(words[2])}"] + rest)
    return {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
            "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2", "conv_out": "out.2"}[path]


def old_unet(component, path):
    """The names of attention processors before diffusers 0.22."""
    if component != "unet": return path
    return re.sub(r"\.to_(q|k|v|out)(\.0)?$", r".processor.to_\1_lora", path)


CONVOLUTIONS = r"resnets\.\d\.(conv1|conv2|conv_shortcut|time_emb_proj)$|(up|down)samplers\.0\.conv$"


def cases(models):
    """Name, base model, how to make the file, how diffusers applies it (None: by loading it)."""
    sd, xl = load(models["sd15-mini"]), load(models["sdxl-mini"])
    half, whole, double = torch.tensor(2.0, dtype=torch.float16), torch.tensor(3), torch.tensor(6.0, dtype=torch.float64)
    proj = ATTENTION + r"|proj_in$|proj_out$"
    made = []
    def add(name, model, tensors, factors=None, alpha=None):
        made.append((name, models[model], tensors, None if factors is None else (lambda pipe: factors.fold(pipe, alpha))))
    f = Factors(sd, proj); add("kohya, proj_in and proj_out", "sd15-mini", f.kohya(half))
    f = Factors(sd, ATTENTION, TEXT); add("kohya with text encoder", "sd15-mini", f.kohya(whole))
    add("kohya in float16", "sd15-mini", f.kohya(half, dtype=torch.float16))
    add("kohya in float64", "sd15-mini", f.kohya(double, dtype=torch.float64), f, 6.0)
    f = Factors(sd, proj + "|" + CONVOLUTIONS); add("kohya LoCon", "sd15-mini", f.kohya(whole))
    f = Factors(sd, CONVOLUTIONS, mid=True); add("LoCon with lora_mid", "sd15-mini", f.kohya(whole), f, 3.0)
    f = Factors(sd, proj + "|" + CONVOLUTIONS, TEXT, dora=True); add("LyCORIS DoRA, all layers", "sd15-mini", f.kohya(half), f, 2.0)
    f = Factors(sd, proj, TEXT)
    add("diffusers with text encoder", "sd15-mini", f.dotted(".lora_A.weight", ".lora_B.weight"), f, 4.0)
    add("diffusers, flat text encoder", "sd15-mini", f.dotted(".lora_A.weight", ".lora_B.weight", text_front=""), f, 4.0)
    f = Factors(sd, ATTENTION[:ATTENTION.index("|ff")])
    add("processors of old diffusers", "sd15-mini", f.dotted(".down.weight", ".up.weight", old_unet))
    f = Factors(xl, proj); add("kohya SDXL", "sdxl-mini", f.kohya(half, original))
    f = Factors(xl, ATTENTION, TEXT); add("kohya SDXL with both text encoders", "sdxl-mini", f.kohya(half, original, te="lora_te1_"))
    everything = proj + "|" + CONVOLUTIONS + r"|^time_embedding\.linear|^add_embedding\.linear|^conv_in$|^conv_out$"
    f = Factors(xl, everything, TEXT + "|text_projection$")
    add("kohya SDXL LoCon, every layer", "sdxl-mini", f.kohya(half, original, te="lora_te1_"), f, 2.0)
    return made


def write(tensors, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)


# --- refusals ----------------------------------------------------------------------------------------------------------------

def refusals(models):
    """Name, base model, tensors, what the one line must say."""
    sd = load(models["sd15-mini"])
    f = Factors(sd, ATTENTION); good = f.dotted(".lora_A.weight", ".lora_B.weight")
    kohya = f.kohya(torch.tensor(4.0)); first = next(iter(kohya))
    bad = {k: v.clone() for k, v in kohya.items()}; bad[first][0, 0] = float("nan")
    square = next(k for k in kohya if "attn1_to_q" in k).split(".")[0]
    by_input = {**kohya, **{k[:-len("alpha")] + "dora_scale": torch.ones(1, kohya[k[:-len("alpha")] + "lora_down.weight"].shape[1])
                            for k in kohya if k.endswith("alpha")}}
    return [
        ("NaN", bad, [first, "NaN"]), ("by input", by_input, ["one length an input"]),
        ("ComfyUI's prefix", {k.replace("unet.", "diffusion_model."): v for k, v in good.items()}, ["diffusion_model"]),
        ("PEFT's prefix after unet", {k.replace("unet.", "unet.base_model.model."): v for k, v in good.items()}, ["base_model"]),
        ("Flux", {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": torch.ones(4, 8)}, ["Flux"]),
        ("LoHa", {square + ".hada_w1_a": torch.ones(4, 4)}, ["LoHa"]),
        ("bias", {**good, next(iter(good)).replace("lora_A.weight", "lora_B.bias"): torch.ones(4)}, ["bias"]),
        ("SDXL's text encoder", {**kohya, "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(4, 64),
                                 "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": torch.ones(256, 4)}, ["text_encoder_2"]),
    ]
