"""Devices: one file a model. `DEVICES` names what `load_device` knows by name."""

from __future__ import annotations

from types import MappingProxyType

MODELS = MappingProxyType(
    {
        "ideal": "hardware_models.devices.ideal:Ideal",
        "exponential_step": "hardware_models.devices.exponential_step:ExponentialStep",
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
        "li2018_capacitor": "li2018_capacitor",
        "milo2021_rram": "milo2021_rram",
        "nandakumar2019_pcm": "nandakumar2019_pcm",
        "nandakumar2020_pcm": "nandakumar2020_pcm",
        "tang2018_ecram": "tang2018_ecram",
        "wan2022_reram": "wan2022_reram",
        "wan2022_reram_1day": "wan2022_reram_1day",
        "wan2022_reram_2days": "wan2022_reram_2days",
        "wan2022_rram_verified": "wan2022_rram_verified",
    }
)
"""Published devices by name -> parameter file in hardware_models/parameters."""
