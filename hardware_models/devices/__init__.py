"""Devices: one file a model. `DEVICES` names what `load_device` knows by name."""

from __future__ import annotations

from types import MappingProxyType

MODELS = MappingProxyType(
    {
        "ideal": "hardware_models.devices.ideal:Ideal",
        "exponential_step": "hardware_models.devices.exponential_step:ExponentialStep",
        "constant_step": "hardware_models.devices.constant_step:ConstantStep",
        "linear_step": "hardware_models.devices.linear_step:LinearStep",
        "soft_bounds": "hardware_models.devices.soft_bounds:SoftBounds",
        "exponential_activity": "hardware_models.devices.exponential_activity:ExponentialActivity",
        "power_step": "hardware_models.devices.power_step:PowerStep",
        "piecewise": "hardware_models.devices.piecewise:Piecewise",
        "measured": "hardware_models.devices.measured:Measured",
        "one_sided": "hardware_models.devices.one_sided:OneSided",
    }
)
"""Models of devices by name; a parameter file names one of them."""

PUBLISHED = MappingProxyType(
    {
        "memristor": "wu2018_taox_hfox",
        "choi2018_epiram": "choi2018_epiram",
        "gokmen2016_rpu": "gokmen2016_rpu",
        "gong2018_reram_es": "gong2018_reram_es",
        "gong2018_reram_sb": "gong2018_reram_sb",
        "gong2022_reram_hfo2": "gong2022_reram_hfo2",
        "gong2022_reram_om": "gong2022_reram_om",
        "jerry2017_hzo": "jerry2017_hzo",
        "jo2010_ag_asi": "jo2010_ag_asi",
        "kim2019_mo_ecram": "kim2019_mo_ecram",
        "kuzum2011_gst": "kuzum2011_gst",
        "li2018_capacitor": "li2018_capacitor",
        "neurosim2_taox_tio2": "neurosim2_taox_tio2",
        "park2013_pcmo": "park2013_pcmo",
        "rasch2019_idealized": "rasch2019_idealized",
        "renaudineau2026_hfox_ti": "renaudineau2026_hfox_ti",
        "tang2018_ecram": "tang2018_ecram",
        "woo2016_alox_hfo2": "woo2016_alox_hfo2",
        "wu2018_taox_hfox": "wu2018_taox_hfox",
    }
)
"""Published devices by name -> parameter file in hardware_models/parameters."""
