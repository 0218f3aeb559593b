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
        "phase_change": "hardware_models.devices.phase_change:PhaseChange",
        "ferroelectric": "hardware_models.devices.ferroelectric:Ferroelectric",
        "electrochemical": "hardware_models.devices.electrochemical:Electrochemical",
        "floating_gate": "hardware_models.devices.floating_gate:FloatingGate",
        "magnetic": "hardware_models.devices.magnetic:Magnetic",
        "capacitor": "hardware_models.devices.capacitor:Capacitor",
        "programmed": "hardware_models.devices.programmed:Programmed",
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
        "kuzum2011_gst": "kuzum2011_gst",
        "li2018_capacitor": "li2018_capacitor",
        "neurosim2_taox_tio2": "neurosim2_taox_tio2",
        "park2013_pcmo": "park2013_pcmo",
        "rasch2019_idealized": "rasch2019_idealized",
        "renaudineau2026_hfox_ti": "renaudineau2026_hfox_ti",
        "tang2018_ecram": "tang2018_ecram",
        "woo2016_alox_hfo2": "woo2016_alox_hfo2",
        "wu2018_taox_hfox": "wu2018_taox_hfox",
        "agrawal2022_sonos": "agrawal2022_sonos",
        "agrawal2022_sonos_1day": "agrawal2022_sonos_1day",
        "agrawal2022_sonos_5days": "agrawal2022_sonos_5days",
        "agrawal2022_sonos_pulsed": "agrawal2022_sonos_pulsed",
        "falcone_cmo_hfox": "falcone_cmo_hfox",
        "jerry2017_hzo_fefet": "jerry2017_hzo_fefet",
        "joshi2020_pcm": "joshi2020_pcm",
        "kim2019_ecram": "kim2019_ecram",
        "legallo2023_hermes": "legallo2023_hermes",
        "legallo2023_hermes_single": "legallo2023_hermes_single",
        "milo2021_rram": "milo2021_rram",
        "nandakumar2019_pcm": "nandakumar2019_pcm",
        "nandakumar2020_pcm": "nandakumar2020_pcm",
        "wan2022_reram": "wan2022_reram",
        "wan2022_reram_1day": "wan2022_reram_1day",
        "wan2022_reram_2days": "wan2022_reram_2days",
        "wan2022_rram_verified": "wan2022_rram_verified",
    }
)
"""Published devices by name -> parameter file in hardware_models/parameters."""
