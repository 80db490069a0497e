/// The samplers by their names on the command line.
package enum SamplerKind: String, CaseIterable, Sendable, Codable {
    case ddpm, ddim, pndm, euler
    case eulerAncestral = "euler-a"
    case dpmpp2M = "dpmpp-2m"
    case dpmpp2MKarras = "dpmpp-2m-karras"
    case dpmpp2MSDE = "dpmpp-2m-sde"
    case dpmpp2MSDEKarras = "dpmpp-2m-sde-karras"
    case unipc, lcm

    /// Takes the names of other programs too: diffusers' classes, and spellings such as `DPM++ 2M Karras`, `dpmpp_2m`
    /// and `k_euler_a`.
    package init?(name: String) {
        if let kind = SamplerKind(rawValue: name) {
            self = kind
            return
        }
        let plain = name.lowercased().replacing("++", with: "pp").filter { $0.isLetter || $0.isNumber }
        let kind = SamplerKind.allCases.first { kind in
            ([kind.rawValue, kind.className] + kind.otherNames).contains {
                $0.lowercased().filter { $0.isLetter || $0.isNumber } == plain
            }
        }
        guard let kind else { return nil }
        self = kind
    }

    private var otherNames: [String] {
        switch self {
        case .euler: ["k_euler", "euler_discrete"]
        case .eulerAncestral: ["k_euler_a", "euler_ancestral", "k_euler_ancestral", "euler_ancestral_discrete"]
        case .dpmpp2M: ["dpmsolverpp", "k_dpmpp_2m", "dpmsolver_multistep"]
        case .dpmpp2MKarras: ["k_dpmpp_2m_karras"]
        case .pndm: ["plms"]
        case .unipc: ["unipc_multistep", "uni_pc"]
        default: []
        }
    }

    /// The class in diffusers that it does the work of.
    package var className: String {
        switch self {
        case .ddpm: "DDPMScheduler"
        case .ddim: "DDIMScheduler"
        case .pndm: "PNDMScheduler"
        case .euler: "EulerDiscreteScheduler"
        case .eulerAncestral: "EulerAncestralDiscreteScheduler"
        case .dpmpp2M, .dpmpp2MKarras, .dpmpp2MSDE, .dpmpp2MSDEKarras: "DPMSolverMultistepScheduler"
        case .unipc: "UniPCMultistepScheduler"
        case .lcm: "LCMScheduler"
        }
    }

    /// Whether it is DPM-Solver++ that adds noise at each step.
    var isStochasticSolver: Bool { self == .dpmpp2MSDE || self == .dpmpp2MSDEKarras }

    /// - Parameters:
    ///   - configuration: the model's, as its file has it: what the sampler makes of it is up to
    ///     ``SchedulerConfiguration/resolved(for:)``.
    ///   - steps: how many of the training timesteps are visited.
    /// - Throws: where so many steps would leave the ``SchedulerConfiguration/trainTimesteps``.
    package func make(_ configuration: SchedulerConfiguration, steps: Int) throws(ModelError) -> any Sampler {
        let total = configuration.trainTimesteps
        guard (1...total).contains(steps) else {
            throw ModelError(.unsupported, at: "", "\(steps) sampling steps are not possible: choose 1 to \(total)")
        }
        var resolved = configuration.resolved(for: self)
        switch self {
        case .ddpm: return DDPMSampler(resolved, steps: steps)
        case .ddim: return DDIMSampler(resolved, steps: steps)
        case .pndm:
            if resolved.skipPRKSteps != false { return PNDMSampler(resolved, steps: steps) }
            guard steps >= PNDMRungeKuttaSampler.fewestSteps else {
                throw ModelError(
                    .unsupported, at: "",
                    "the model's skip_prk_steps is false, which takes pndm \(PNDMRungeKuttaSampler.fewestSteps) steps or "
                        + "more: raise --steps, or choose another --sampler")
            }
            return PNDMRungeKuttaSampler(resolved, steps: steps)
        case .euler: return EulerSampler(resolved, steps: steps)
        case .eulerAncestral: return EulerAncestralSampler(resolved, steps: steps)
        case .dpmpp2M, .dpmpp2MKarras, .dpmpp2MSDE, .dpmpp2MSDEKarras:
            if self == .dpmpp2MKarras || self == .dpmpp2MSDEKarras {
                (resolved.sigmas.karras, resolved.sigmas.exponential) = (true, false)
                (resolved.sigmas.beta, resolved.sigmas.lu) = (false, false)
            }
            return DPMSolverSampler(resolved, steps: steps, isStochastic: isStochasticSolver)
        case .unipc: return UniPCSampler(resolved, steps: steps)
        case .lcm:
            let most = resolved.lcm.originalSteps
            guard most <= total else {
                throw ModelError(
                    .unsupported, at: "",
                    "the model's original_inference_steps is \(most), more than its \(total) timesteps; "
                        + "--ignore-config original_inference_steps takes 50")
            }
            guard steps <= most else {
                throw ModelError(
                    .unsupported, at: "",
                    "\(steps) steps are not possible with lcm: the model was distilled from \(most) "
                        + "(original_inference_steps); lower --steps to 4 to 8")
            }
            return LCMSampler(resolved, steps: steps)
        }
    }
}
