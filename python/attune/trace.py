"""Reads the trace of a guided generation off a pipeline's denoiser."""

from __future__ import annotations

import inspect
from typing import Any

from .errors import Unsupported


class TraceHook:
    """Hooks the UNet or transformer of a diffusers pipeline and notes, at each guided step, how the predictions with and
    without the prompt differ.

        with attune.TraceHook(pipeline, images=4) as hook:
            pipeline(prompts, guidance_scale=5)
        hook.traces()       # one dict for each image: timesteps, delta_sq; of flow-matching models sigma, velocity_delta

    diffusers' pipelines either pass both halves through the denoiser at once, without the prompt first, or one after the
    other at the same timestep, with the prompt first; both are understood.
    """

    def __init__(self, pipeline: Any, images: int) -> None:
        self.denoiser: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
        if self.denoiser is None:
            raise Unsupported(type(pipeline).__name__, "has neither a UNet nor a transformer to read a trace off")
        self._signature = inspect.signature(self.denoiser.forward)
        config = pipeline.scheduler.config
        self.is_flow = "FlowMatch" in type(pipeline.scheduler).__name__
        self.prediction = config.get("prediction_type", "epsilon")
        if not self.is_flow and self.prediction not in ("epsilon", "v_prediction"):
            raise Unsupported(type(pipeline.scheduler).__name__, f"has prediction type {self.prediction!r}")
        self._count = int(config.get("num_train_timesteps", 1000))
        self._cumulative = None if self.is_flow else pipeline.scheduler.alphas_cumprod
        self._images = images
        self._handle: Any = None
        self._first: tuple[float, Any] | None = None
        self._steps: list[tuple[float, Any, Any]] = []

    def __enter__(self) -> TraceHook:
        self._handle = self.denoiser.register_forward_hook(self._note, with_kwargs=True)
        return self

    def __exit__(self, *_: Any) -> None:
        self._handle.remove()

    def _note(self, _: Any, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        bound = self._signature.bind_partial(*arguments, **named).arguments
        timestep = bound.get("timestep", bound.get("timesteps"))
        if timestep is None:
            raise Unsupported(type(self.denoiser).__name__, "is called without a timestep: its steps cannot be told apart")
        import torch

        t = float(torch.as_tensor(timestep).reshape(-1)[0])
        prediction = output[0] if isinstance(output, (tuple, list)) else output.sample
        if prediction.shape[0] == 2 * self._images:
            without, given = prediction.chunk(2)
            self._add(t, given, without)
        elif prediction.shape[0] == self._images:
            if self._first is None or self._first[0] != t:
                self._first = (t, prediction.detach().clone())
            else:
                self._add(t, self._first[1], prediction)
                self._first = None
        else:
            raise Unsupported(
                type(self.denoiser).__name__, f"was called with {prediction.shape[0]} images, not {self._images} or twice as "
                "many: tell TraceHook how many images are made together")  # fmt: skip

    def _add(self, t: float, given: Any, without: Any) -> None:
        given, without = given.detach().double(), without.detach().double()
        delta = given - without
        squared = delta.square().flatten(1).sum(1)
        if self.is_flow:
            self._steps.append((t, squared.cpu(), (given * delta).flatten(1).sum(1).cpu()))
            return
        if self.prediction == "v_prediction":
            # The difference in noise is that in velocity times the square root of the running product of alpha.
            squared = squared * float(self._cumulative[min(int(t), self._count - 1)])  # type: ignore[index]
        self._steps.append((t, squared.cpu(), None))

    def traces(self) -> list[dict[str, list[Any]]]:
        """The trace of each image; empty where no step was guided."""
        # PNDM calls the denoiser twice at one of its timesteps; what is noted last there is what moves the sample.
        steps = {round(t) if not self.is_flow else t: (t, squared, dot) for t, squared, dot in self._steps}
        ordered = sorted(steps.values(), key=lambda step: -step[0])
        made: list[dict[str, list[Any]]] = []
        for image in range(self._images):
            trace: dict[str, list[Any]] = {
                "timesteps": [int(round(t)) for t, _, _ in ordered],
                "delta_sq": [float(squared[image]) for _, squared, _ in ordered]}
            if self.is_flow and ordered:
                scale = self._count if ordered[0][0] > 1 else 1
                trace["sigma"] = [t / scale for t, _, _ in ordered]
                trace["velocity_delta"] = [float(dot[image]) for _, _, dot in ordered]
            made.append(trace)
        return made
