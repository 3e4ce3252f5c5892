"""The posteriors of the bench: public ones, as posteriordb names them, of different kinds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Posterior:
    """Warmup and draws are the same for every peer: more where a gradient is cheap, fewer where it is dear."""

    name: str
    kind: str
    warmup: int = 1000
    draws: int = 1000

    @property
    def data(self) -> str:
        return self.name.split("-", 1)[0]

    @property
    def model(self) -> str:
        return self.name.split("-", 1)[1]


POSTERIORS = [
    Posterior("earnings-earn_height", "regression", 500, 500),
    Posterior("kidiq-kidscore_interaction", "regression"),
    Posterior("mesquite-logmesquite_logvas", "regression"),
    Posterior("nes2000-nes", "regression"),
    Posterior("diamonds-diamonds", "regression", 100, 50),
    Posterior("dugongs_data-dugongs_model", "non-linear regression"),
    Posterior("wells_data-wells_dist100_model", "GLM"),
    Posterior("nes_logit_data-nes_logit_model", "GLM"),
    Posterior("GLM_Poisson_Data-GLM_Poisson_model", "GLM"),
    Posterior("GLM_Binomial_data-GLM_Binomial_model", "GLM"),
    Posterior("eight_schools-eight_schools_noncentered", "hierarchical"),
    Posterior("radon_mn-radon_variable_intercept_slope_noncentered", "hierarchical", 300, 200),
    Posterior("radon_all-radon_hierarchical_intercept_centered", "hierarchical", 100, 50),
    Posterior("rats_data-rats_model", "hierarchical"),
    Posterior("seeds_data-seeds_model", "hierarchical GLM"),
    Posterior("surgical_data-surgical_model", "hierarchical GLM"),
    Posterior("GLMM_data-GLMM1_model", "hierarchical GLM", 500, 500),
    Posterior("irt_2pl-irt_2pl", "item response", 500, 500),
    Posterior("dogs-dogs", "learning", 500, 500),
    Posterior("Mt_data-Mt_model", "capture-recapture", 500, 500),
    Posterior("arma-arma11", "time series"),
    Posterior("garch-garch11", "time series", 500, 500),
    Posterior("uk_drivers-state_space_stochastic_level_stochastic_seasonal", "state space", 150, 100),
    Posterior("hmm_example-hmm_example", "HMM", 500, 500),
    Posterior("bball_drive_event_0-hmm_drive_0", "HMM", 200, 200),
    Posterior("gp_pois_regr-gp_regr", "GP"),
    Posterior("mcycle_gp-accel_gp", "GP", 100, 100),
    Posterior("hudson_lynx_hare-lotka_volterra", "ODE", 200, 200),
    Posterior("sir-sir", "ODE", 150, 100),
    Posterior("soil_carbon-soil_incubation", "ODE", 200, 100),
    Posterior("low_dim_gauss_mix-low_dim_gauss_mix", "mixture", 300, 300),
    Posterior("normal_2-normal_mixture", "mixture", 300, 300),
]
