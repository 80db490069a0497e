"""Whole images of `attune sample` beside diffusers': model folders of many kinds, all samplers, all options.

    PYTHON -m pip install torch diffusers transformers safetensors pillow scipy
    PYTHON Tests/Interop/image_interop.py [--work DIR] [--only WORD]        (make interop PEER_PYTHON=PYTHON)

Folders are made of the bundled tiny-sd and of the small models of Tests/Goldens, with one thing changed in each. Attune must
give diffusers' images (within 2/255 on 99 % of the values), or refuse the folder and name the field; with --ignore-config
FIELD it must then give the images of the folder without the field.
"""
import argparse, importlib.util, json, os, pathlib, shutil, subprocess, sys, tempfile, warnings
import numpy as np
import torch
import transformers
import diffusers
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, LCMScheduler, PNDMScheduler, StableDiffusionPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel, UniPCMultistepScheduler)
from diffusers.utils import logging
from PIL import Image
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ROOT / "datasets" / "tiny-sd"
GOLDENS = ROOT / "Tests" / "Goldens"
ATTUNE = ROOT / ".build" / "release" / "attune"
PROMPTS = ["a red circle and a blue square", "three pink stars"]
CLASSES = {"ddpm": DDPMScheduler, "ddim": DDIMScheduler, "pndm": PNDMScheduler, "euler": EulerDiscreteScheduler,
           "euler-a": EulerAncestralDiscreteScheduler, "dpmpp-2m": DPMSolverMultistepScheduler,
           "dpmpp-2m-karras": DPMSolverMultistepScheduler, "dpmpp-2m-sde": DPMSolverMultistepScheduler,
           "dpmpp-2m-sde-karras": DPMSolverMultistepScheduler, "unipc": UniPCMultistepScheduler, "lcm": LCMScheduler}
warnings.filterwarnings("ignore")
logging.disable_progress_bar(); logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar(); transformers.utils.logging.set_verbosity_error()
spec = importlib.util.spec_from_file_location("make_goldens", GOLDENS / "make_goldens.py")
goldens = importlib.util.module_from_spec(spec); spec.loader.exec_module(goldens)


MODELS = {}


def edit(path, fields, drop=()):
    """A JSON file with members set, and others left out."""
    old = json.loads(path.read_text()) if path.exists() else {}
    new = {k: v for k, v in {**old, **fields}.items() if k not in drop}
    if path.exists(): path.unlink()
    path.write_text(json.dumps(new, indent=1))


def tiny(place):
    shutil.copytree(TINY, place, copy_function=os.symlink)
    return place


def mini(name):
    """A small model of Tests/Goldens with its weights, and tiny-sd's tokenizer."""
    def make(place, unet=None):
        if not MODELS: MODELS.update(goldens.models())
        parts = dict(MODELS[name])
        if unet: parts["unet"] = goldens.jitter(UNet2DConditionModel.from_config({**parts["unet"].config, **unet}))
        index = {"_class_name": "StableDiffusionXLPipeline" if "text_encoder_2" in parts else "StableDiffusionPipeline"}
        for part, module in parts.items():
            module.save_pretrained(place / part)
            index[part] = ["transformers" if part.startswith("text") else "diffusers", type(module).__name__]
            if part.startswith("text_encoder"):
                tokenizer = part.replace("text_encoder", "tokenizer")
                shutil.copytree(TINY / "tokenizer", place / tokenizer); index[tokenizer] = ["transformers", "CLIPTokenizer"]
        if "text_encoder_2" not in parts: index.update(safety_checker=[None, None], feature_extractor=[None, None], requires_safety_checker=False)
        (place / "model_index.json").write_text(json.dumps(index))
        return place
    return make


def scheduler(place, cls, drop=(), **fields):
    """Puts a scheduler of this class into a folder, in its file and in the index."""
    file = place / "scheduler" / "scheduler_config.json"
    edit(file, {"_class_name": cls, **fields}, drop); edit(place / "model_index.json", {"scheduler": ["diffusers", cls]})


def theirs(place, sampler, steps, guidance, over=None, own=False, **call):
    isXL = (place / "text_encoder_2").exists()
    pipe = (StableDiffusionXLPipeline if isXL else StableDiffusionPipeline).from_pretrained(place, torch_dtype=torch.float32)
    if not own:
        over = dict(over or {})
        if "karras" in sampler: over["use_karras_sigmas"] = True
        if "sde" in sampler: over["algorithm_type"] = "sde-dpmsolver++"
        # Attune's pndm is without the Runge-Kutta start, unless a PNDM file says otherwise.
        if sampler == "pndm" and "skip_prk_steps" not in pipe.scheduler.config: over["skip_prk_steps"] = True
        pipe.scheduler = CLASSES[sampler].from_config(pipe.scheduler.config, **over)
    # Where transformers 5 keeps the layers, which diffusers 0.42 looks for in case of clip_skip.
    if not hasattr(pipe.text_encoder, "text_model"): object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    pipe.set_progress_bar_config(disable=True)
    if "negative_prompt" in call: call["negative_prompt"] = [call["negative_prompt"]] * len(PROMPTS)
    out = pipe(PROMPTS, num_inference_steps=steps, guidance_scale=guidance, output_type="np",
               generator=[torch.Generator().manual_seed(42) for _ in PROMPTS], **call)
    return np.round(np.stack(out.images) * 255).astype(int)


def attune(place, out, sampler, steps, guidance, *more):
    prompts = place.parent / "prompts.txt"; prompts.write_text("\n".join(PROMPTS) + "\n")
    done = subprocess.run([ATTUNE, "sample", "--model", place, "--prompts", prompts, "--to", out, "--images-per-prompt", "1",
                           "--seed", "42", "--steps", str(steps), "--guidance", str(guidance), "--sampler", sampler, *more],
                          capture_output=True, text=True)
    if done.returncode: return done
    return np.stack([np.asarray(Image.open(out / f"{i:04}-42.png")).astype(int) for i in (1, 2)])


def cases():
    """Name, maker of the folder, sampler, options of diffusers, options of attune; see run for the rest."""
    V = dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")
    xl, v = mini("sdxl-mini"), mini("sd15-mini")
    def made(base, then):
        def make(place): base(place); then(place); return place
        return make
    def sched(cls, drop=(), base=tiny, **fields): return made(base, lambda p: scheduler(p, cls, drop, **fields))
    def field(part, base=tiny, **fields): return made(base, lambda p: edit(p / part / "config.json", fields))
    yield from ((f"guidance {g} {n}", m, s, dict(guidance=g), []) for g in (0, 0.5, 1) for n, m, s in (("tiny", tiny, "ddim"), ("xl", xl, "euler")))
    old = dict(clip_sample=True, steps_offset=0)
    for s in ("ddim", "ddpm", "euler", "dpmpp-2m"): yield f"ddim-old {s}", sched("DDIMScheduler", **old), s, {}, []
    for s in ("ddpm", "ddim", "euler"): yield f"ddpm-min {s}", sched("DDPMScheduler", ("clip_sample", "steps_offset", "clip_sample_range")), s, {}, []
    for s in ("ddim", "ddpm", "euler"): yield f"offset0 {s}", sched("DDPMScheduler", steps_offset=0), s, {}, []
    yield "xl-offset0", sched("DDIMScheduler", base=xl, **old), "ddim", {}, []
    yield "latents-stats", field("vae", xl, latents_mean=[-1.6, 2.2, 0.4, -0.7], latents_std=[8.4, 5.3, 5.1, 4.9], scaling_factor=0.5), "euler", {}, []
    cont = dict(timestep_type="continuous", prediction_type="v_prediction", sigma_min=0.002, sigma_max=700.0)
    for more in ({}, dict(use_karras_sigmas=True)): yield f"continuous {more}", sched("EulerDiscreteScheduler", **cont, **more), "euler", dict(own=True), []
    for rule in ("karras", "exponential", "beta"):
        for s in ("euler", "dpmpp-2m", "unipc", "ddim", "pndm", "euler-a"):
            yield f"{rule} {s}", sched("DPMSolverMultistepScheduler", **{f"use_{rule}_sigmas": True}), s, {}, []
    for s in CLASSES:
        if s != "lcm": yield f"zsnr {s}", sched("DDIMScheduler", base=v, **V), s, {}, []
    yield "prk", sched("PNDMScheduler", skip_prk_steps=False), "pndm", dict(own=True), []
    yield "lcm folder", sched("LCMScheduler"), "lcm", dict(own=True, steps=4, guidance=1), []
    for n, m in (("tiny", tiny), ("v", v), ("xl", xl)):
        for s in CLASSES:
            for steps in (1, 4, 13): yield f"{n} {s} {steps}", m, s, dict(steps=steps), []
    for spacing in ("leading", "trailing", "linspace"):
        for s in CLASSES: yield f"{spacing} {s}", sched("DDPMScheduler", timestep_spacing=spacing), s, dict(steps=6), []
    yield "squaredcos", sched("DDPMScheduler", beta_schedule="squaredcos_cap_v2"), "ddim", {}, []
    yield "timeact", field("unet", time_embedding_act_fn="silu", timestep_post_act="silu"), "ddim", {}, []
    yield "timeact mish", field("unet", time_embedding_act_fn="mish", timestep_post_act="gelu"), "ddim", {}, []
    yield "downpad0", field("unet", downsample_padding=0), "ddim", {}, []
    yield "midnull", lambda p: v(p, dict(mid_block_type=None)), "ddim", {}, []
    yield "ssd1b", lambda p: xl(p, dict(mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [4, 4]],
        reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1])), "euler", {}, []
    yield "timecond", lambda p: v(p, dict(time_cond_proj_dim=32)), "lcm", dict(steps=4, guidance=8.5), []
    for n, m, s in (("tiny", tiny, "ddim"), ("xl", xl, "euler"), ("v", v, "euler-a")):
        yield f"negative {n}", m, s, dict(negative_prompt="a blue square"), ["--negative-prompt", "a blue square"]
        yield f"negative empty {n}", m, s, dict(negative_prompt=""), ["--negative-prompt", ""]
        yield f"clip-skip {n}", m, s, dict(clip_skip=1), ["--clip-skip", "1"]
        yield f"clip-skip 2 negative {n}", m, s, dict(clip_skip=2, negative_prompt="a star"), ["--clip-skip", "2", "--negative-prompt", "a star"]
        for w, h in ((96, 64), (72, 104), (8, 40)): yield f"size {w}x{h} {n}", m, s, dict(width=w, height=h), ["--width", str(w), "--height", str(h)]
        yield f"width {n}", m, s, dict(width=48), ["--width", "48"]
    yield "sample_size list", field("unet", sample_size=[16, 24]), "ddim", {}, []
    yield "old sample_size", field("unet", _diffusers_version="0.8.1"), "ddim", dict(steps=1), []


REFUSED = [("unet", "act_fn", "mish"), ("unet", "mid_block_scale_factor", 2), ("unet", "class_embeddings_concat", True), ("unet", "center_input_sample", True),
           ("unet", "resnet_time_scale_shift", "scale_shift"), ("unet", "num_class_embeds", 4), ("unet", "attention_type", "gated"),
           ("unet", "only_cross_attention", [False, True, False]), ("unet", "brand_new", 3), ("vae", "act_fn", "relu"), ("vae", "shift_factor", 0.1),
           ("vae", "latents_mean", [1, 1, 1, 1]), ("vae", "brand_new", "x"), ("text_encoder", "use_attention_mask", True),
           ("text_encoder", "model_type", "t5"), ("scheduler", "thresholding", True), ("scheduler", "brand_new", 1), ("scheduler", "_class_name", "FlowMatchEulerDiscreteScheduler"),
           ("scheduler", "_class_name", "EDMDPMSolverMultistepScheduler"), ("tokenizer", "padding_side", "left"), ("tokenizer", "do_lower_case", False)]


def main():
    ap = argparse.ArgumentParser(); ap.add_argument("--work"); ap.add_argument("--only", default="", help="cases whose names have one of these, separated by commas"); a = ap.parse_args()
    chosen = lambda name: any(word in name for word in a.only.split(","))
    work = pathlib.Path(a.work or tempfile.mkdtemp(prefix="attune-images-")); work.mkdir(parents=True, exist_ok=True)
    failed, ran = [], 0
    for number, (name, make, sampler, options, more) in enumerate(cases()):
        if not chosen(name): continue
        place = work / f"model-{number}"; shutil.rmtree(place, True); shutil.rmtree(work / f"out-{number}", True)
        make(place); ran += 1
        options = dict(options); steps, guidance = options.pop("steps", 10), options.pop("guidance", 5.0)
        mine = attune(place, work / f"out-{number}", sampler, steps, guidance, *more)
        if not isinstance(mine, np.ndarray): print(f"FAILED  {name}: {mine.stderr.strip()}"); failed.append(name); continue
        their = theirs(place, sampler, steps, guidance, **options)
        same = np.mean(np.abs(mine - their) <= 2) if mine.shape == their.shape else 0
        if not same >= 0.99: failed.append(name)
        print(f"{'ok     ' if same >= 0.99 else 'FAILED '} {name}: {100 * same:.2f} % same", flush=True)
        shutil.rmtree(place)
    for number, (part, field, value) in enumerate(REFUSED):
        name = f"refused {part} {field} {value}"
        if not chosen(name): continue
        place, plain = work / f"refused-{number}", work / f"plain-{number}"; ran += 1
        for p in (place, plain, work / f"ro-{number}", work / f"rp-{number}"): shutil.rmtree(p, True)
        tiny(place); tiny(plain)
        file = place / part / {"scheduler": "scheduler_config.json", "tokenizer": "tokenizer_config.json"}.get(part, "config.json")
        edit(file, {field: value})
        done = attune(place, work / f"ro-{number}", "ddim", 2, 5.0)
        named = not isinstance(done, np.ndarray) and done.returncode == 1 and field in done.stderr and part in done.stderr and done.stderr.count("\n") == 1
        out = attune(place, work / f"ro-{number}", "ddim", 2, 5.0, "--ignore-config", field)
        base = attune(plain, work / f"rp-{number}", "ddim", 2, 5.0)
        same = isinstance(out, np.ndarray) and (out == base).all()
        if not (named and same): failed.append(name)
        print(f"{'ok     ' if named and same else 'FAILED '} {name}: {'named' if named else done}; {'ignored' if same else out}", flush=True)
    print(f"{ran - len(failed)} of {ran} fit" + (f"; not: {', '.join(failed)}" if failed else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__": main()
