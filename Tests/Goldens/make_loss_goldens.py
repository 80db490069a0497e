"""Reference values for the losses of attune train, each from a statement of its formula in torch.

    python make_loss_goldens.py OUT       # needs torch, diffusers, peft, safetensors

OUT/nft-policy.safetensors holds steps of nft whose old policy follows the trained one.
OUT/losses.safetensors holds, for the mini models of make_goldens.py with a LoRA adapter, one batch and for each case the
loss and the gradient of every adapter weight; OUT/losses.json the cases and, for learning-rate schedules and moving
averages, what diffusers makes of them; OUT/all-weights.safetensors three AdamW steps of every weight of sd15-mini.
Everything is float32 on a CPU.
"""
import json, os, sys

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel, compute_snr
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from make_goldens import SCHED, models  # noqa: E402

ROWS, TEXTS = 3, 7
PROMPTS = [0, 1, 0]
NEGATIVES = [[2, 3], [4], []]
REWARDS = [1.0, 0.25, 0.6]
WEIGHTS = [0.5, 2.0, 1.25]


def draw(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def adapted(unet, seed, scale):
    """The UNet with a LoRA adapter that changes it already, and its trained values by PEFT's names."""
    unet.requires_grad_(False)
    torch.manual_seed(seed)
    unet.add_adapter(LoraConfig(r=2, lora_alpha=3, init_lora_weights="gaussian",
                                target_modules=["to_k", "to_q", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]))
    with torch.no_grad():
        for n, p in unet.named_parameters():
            if "lora_B" in n: p.add_(torch.randn(p.shape) * scale)
    return unet


class Batch:
    def __init__(self, unet, prediction):
        d = unet.config.cross_attention_dim
        self.z, self.loser, self.noise = (draw(ROWS, 4, 16, 16, seed=31 + i) for i in range(3))
        self.text = draw(TEXTS, 24, d, seed=34)
        self.t = torch.tensor([20, 480, 910])
        self.scheduler = DDPMScheduler(**SCHED, prediction_type=prediction)

    def noisy(self, z): return self.scheduler.add_noise(z, self.noise, self.t)

    def target(self, z):
        if self.scheduler.config.prediction_type == "epsilon": return self.noise
        return self.scheduler.get_velocity(z, self.noise, self.t)

    def snr_weights(self, gamma):
        snr = compute_snr(self.scheduler, self.t)
        if self.scheduler.config.prediction_type == "epsilon": return torch.clamp(snr, max=gamma) / snr
        return torch.clamp(snr, max=gamma) / (snr + 1)


def error(prediction, target): return ((prediction - target) ** 2).mean(dim=(1, 2, 3))


def off(unet, *a):
    with torch.no_grad():
        unet.disable_adapters(); y = unet(*a).sample; unet.enable_adapters()
    return y


def denoise(b, unet, gamma=None, weights=None):
    e = error(unet(b.noisy(b.z), b.t, b.text[PROMPTS]).sample, b.target(b.z))
    if gamma is not None: e = e * b.snr_weights(gamma)
    if weights is not None: e = e * torch.tensor(weights)
    return e.mean()


def contrast(b, unet, clamp, gamma=None):
    """L = e+ - mean over near misses of min(e-, clamp * e+), the clamp without gradient."""
    x, y, losses = b.noisy(b.z), b.target(b.z), []
    w = torch.ones(ROWS) if gamma is None else b.snr_weights(gamma)
    for i in range(ROWS):
        def e(text): return error(unet(x[i:i + 1], b.t[i:i + 1], b.text[text:text + 1]).sample, y[i:i + 1])[0]
        positive = e(PROMPTS[i])
        loss = positive
        for n in NEGATIVES[i]:
            loss = loss - torch.minimum(e(n), clamp * positive.detach()) / len(NEGATIVES[i])
        losses.append(w[i] * loss)
    return torch.stack(losses).mean()


def dpo(b, unet, beta):
    """L = -log sigmoid(-beta/2 * ((e_w - e_l) - (r_w - r_l)))."""
    x = torch.cat([b.noisy(b.z), b.noisy(b.loser)]); y = torch.cat([b.target(b.z), b.target(b.loser)])
    t, c = torch.cat([b.t, b.t]), torch.cat([b.text[PROMPTS], b.text[PROMPTS]])
    ew, el = error(unet(x, t, c).sample, y).chunk(2)
    rw, rl = error(off(unet, x, t, c), y).chunk(2)
    return -F.logsigmoid(-beta / 2 * ((ew - el) - (rw - rl))).mean()


def nft(b, unet, beta):
    """L = r |(1-beta) o + beta p - y|^2 + (1-r) |(1+beta) o - beta p - y|^2."""
    x, y, c, r = b.noisy(b.z), b.target(b.z), b.text[PROMPTS], torch.tensor(REWARDS)
    p, o = unet(x, b.t, c).sample, off(unet, x, b.t, c)
    return (r * error((1 - beta) * o + beta * p, y) + (1 - r) * error((1 + beta) * o - beta * p, y)).mean()


CASES = [("denoise", denoise, {}), ("denoise-snr", denoise, dict(gamma=5.0)), ("weighted", denoise, dict(weights=WEIGHTS)),
         ("contrast", contrast, dict(clamp=1.0)), ("contrast-far", contrast, dict(clamp=1.5, gamma=5.0)),
         ("dpo", dpo, dict(beta=200.0)), ("dpo-strong", dpo, dict(beta=5000.0)),
         ("nft", nft, dict(beta=1.0)), ("nft-near", nft, dict(beta=0.3))]


def losses(out):
    tensors, text = {}, {"rows": {"prompts": PROMPTS, "negatives": NEGATIVES, "rewards": REWARDS, "weights": WEIGHTS}}
    for name, parts in models():
        if name == "sdxl-mini": continue
        prediction = "v_prediction" if name == "sd15-mini" else "epsilon"
        unet = adapted(parts["unet"], 3, 0.05)
        b = Batch(unet, prediction)
        tensors.update({f"{name}.init.{k}": v for k, v in get_peft_model_state_dict(unet).items()})
        if "latents" not in tensors:
            tensors.update(latents=b.z, losers=b.loser, noise=b.noise, text=b.text, timesteps=b.t)
        assert torch.equal(tensors["text"], b.text)
        ps = {k.replace(".default", ""): p for k, p in unet.named_parameters() if p.requires_grad}
        for case, loss, arguments in CASES:
            value = loss(b, unet, **arguments)
            for p in ps.values(): p.grad = None
            value.backward()
            tensors[f"{name}.{case}.loss"] = value.detach()
            # One layer's gradients as they are, and the length and a fixed projection of every other one's.
            for i, (k, p) in enumerate(ps.items()):
                g = p.grad
                tensors[f"{name}.{case}.grad.{k}"] = (
                    g if i < 2 else torch.stack([g.norm(), (g.flatten() * torch.cos(torch.arange(g.numel()))).sum()]))
    save_file({k: v.clone().contiguous() for k, v in tensors.items()}, os.path.join(out, "losses.safetensors"))
    return text


def nft_policy(out):
    """AdamW steps of nft; after step s old = eta * old + (1 - eta) * trained, eta = min(rise * s, most)."""
    parts = next(parts for name, parts in models() if name == "sd21-mini")
    unet = adapted(parts["unet"], 3, 0.05); b = Batch(unet, "epsilon"); t = {}
    x, y, c, r, beta = b.noisy(b.z), b.target(b.z), b.text[PROMPTS], torch.tensor(REWARDS), 0.5
    ps = {k.replace(".default", ""): p for k, p in unet.named_parameters() if p.requires_grad}
    old = {k: p.detach().clone() for k, p in ps.items()}
    o = torch.optim.AdamW(ps.values(), lr=5e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses_ = []
    for s in range(1, 6):
        trained = {k: p.detach().clone() for k, p in ps.items()}
        with torch.no_grad():
            for k, p in ps.items(): p.copy_(old[k])
            o_ = unet(x, b.t, c).sample
            for k, p in ps.items(): p.copy_(trained[k])
        p_ = unet(x, b.t, c).sample
        loss = (r * error((1 - beta) * o_ + beta * p_, y) + (1 - r) * error((1 + beta) * o_ - beta * p_, y)).mean()
        o.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(ps.values(), 1.0); o.step()
        losses_.append(loss.detach())
        eta = min(0.2 * s, 0.5)
        old = {k: eta * old[k] + (1 - eta) * p.detach() for k, p in ps.items()}
    for label, found in (("final", ps), ("old", old)):
        for k, p in found.items():
            w = p.detach().flatten()
            t[f"{label}.{k}"] = torch.stack([w.norm(), (w * torch.cos(torch.arange(w.numel()))).sum()])
    t["losses"] = torch.stack(losses_)
    save_file({k: v.clone().contiguous() for k, v in t.items()}, os.path.join(out, "nft-policy.safetensors"))


def schedules():
    found = []
    for shape, warmup in (("constant", 0), ("constant_with_warmup", 4), ("linear", 0), ("linear", 3), ("cosine", 0), ("cosine", 5)):
        p = torch.nn.Parameter(torch.zeros(1)); o = torch.optim.SGD([p], lr=1.0)
        s = get_scheduler(shape, o, num_warmup_steps=warmup, num_training_steps=12); rates = []
        for _ in range(12):
            rates.append(s.get_last_lr()[0]); o.step(); s.step()
        found.append(dict(shape=shape.split("_")[0], warmup=warmup, steps=12, factors=rates))
    return found


def averages():
    p = torch.nn.Parameter(torch.tensor([0.0])); found = []
    for decay in (0.999, 0.6):
        with torch.no_grad(): p.fill_(0.0)
        ema = EMAModel([p], decay=decay); values = []
        for i in range(20):
            with torch.no_grad(): p.fill_(float(i * i % 7) - 2.0)
            ema.step([p]); values.append(ema.shadow_params[0].item())
        found.append(dict(decay=decay, inputs=[float(i * i % 7) - 2.0 for i in range(20)], values=values))
    return found


def all_weights(out):
    unet = next(parts["unet"] for name, parts in models() if name == "sd15-mini")
    unet.requires_grad_(True)
    b = Batch(unet, "v_prediction"); t = {}
    o = torch.optim.AdamW(unet.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses_, norms = [], []
    for i in range(3):
        loss = error(unet(b.noisy(b.z), b.t, b.text[PROMPTS]).sample, b.target(b.z)).mean(); loss.backward()
        if i == 0:
            # Length and a fixed projection of each gradient: the tensors themselves are large.
            for k, p in unet.named_parameters():
                g = p.grad.flatten()
                t["grad0." + k] = torch.stack([g.norm(), (g * torch.cos(torch.arange(g.numel()))).sum()])
        norms.append(torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)); o.step(); o.zero_grad(); losses_.append(loss.detach())
    for k, p in unet.named_parameters():
        w = p.detach().flatten()
        t["final." + k] = torch.stack([w.norm(), (w * torch.cos(torch.arange(w.numel()))).sum()])
    t.update(losses=torch.stack(losses_), grad_norms=torch.stack(norms))
    save_file({k: v.clone().contiguous() for k, v in t.items()}, os.path.join(out, "all-weights.safetensors"))


def main():
    out = sys.argv[1]
    text = losses(out)
    text.update(schedules=schedules(), averages=averages())
    json.dump(text, open(os.path.join(out, "losses.json"), "w"), indent=1)
    all_weights(out)
    nft_policy(out)


if __name__ == "__main__":
    main()
