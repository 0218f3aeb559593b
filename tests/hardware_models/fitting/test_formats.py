"""Formats that manuals of instruments and their programs describe: all give the train that was measured.

Each case names the page that describes the format. The reader knows no file by its name and no instrument by its brand: it finds
encoding, separator, decimal sign, header and units, and takes the other columns by ``--columns``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train

READ = 0.2
"""Read voltage [V]."""
Row = tuple[int, float, float, float]


def measured() -> list[Row]:
    """Return three cycles of 25 pulses up and down: number of the row, time [s], pulse voltage [V], conductance [S]."""
    draw, number, g = np.random.default_rng(5), count(), 4e-6
    rows: list[Row] = []
    for _ in range(3):
        for sign in (1, -1):
            for _ in range(25):
                g += sign * 2e-7 + 1e-8 * float(draw.standard_normal())
                n = next(number)
                rows.append((n, 1e-3 * n, 1.6 if sign > 0 else -1.8, g))
    return rows


ROWS = measured()


def table(head: str, line: Callable[[int, float, float, float], str], tail: str = "") -> str:
    """Return a file: the head, a line for each row, made from number, time, pulse voltage and conductance, and the tail."""
    return "\n".join([head, *(line(*row) for row in ROWS)]) + "\n" + tail


def comma(text: str) -> str:
    """Return a text with decimal commas."""
    return text.replace(".", ",")


FORMATS: dict[str, tuple[bytes | str, str]] = {
    # Pico Technology, PicoScope 6 User's Guide (psw.en), p. 38 "Text formats: CSV": a row of units in brackets.
    "PicoScope 6, CSV": (
        table("Time,Channel A,Channel B\n(ms),(V),(µA)\n",
              lambda n, t, v, g: f"{1e3 * t:.3f},{v:.3f},{1e6 * READ * g:.9f}").encode(),
        "voltage=Channel A,current=Channel B,read voltage=0.2 V",
    ),
    # PicoScope 6 User's Guide, p. 39 "Tab-delimited", meant for languages with decimal commas.
    "PicoScope 6, tab-delimited with decimal commas": (
        comma(table("Time\tChannel A\tChannel B\n(ms)\t(V)\t(µA)\n",
                    lambda n, t, v, g: f"{1e3 * t:.3f}\t{v:.3f}\t{1e6 * READ * g:.9f}")),
        "voltage=Channel A,current=Channel B,read voltage=0.2 V",
    ),
    # Agilent 4155C/4156C User's Guide Vol. 1, Edition 11, p. 4-11 "Storing Results Data in Spreadsheet Format": names, units.
    "Agilent 4156C, spreadsheet": (
        table('"IB=",1E-05,"to",5E-05,"in",1E-05,"step"\n"NO.","VG","ID","VD"\n"","V","A","V"',
              lambda n, t, v, g: f"{n + 1},{v},{READ * g:.9E},{READ}"),
        "voltage=VG,current=ID,read voltage=VD",
    ),
    # National Instruments, "Specification for the LabVIEW Measurement File (.lvm)", ni.com/tutorial/4139: tags, two
    # headers, tabs, Decimal_Separator of version 2.0, a column Comment that is empty.
    "LabVIEW measurement file": (
        comma(table(
            "LabVIEW Measurement\t\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\nDecimal_Separator\t,\n"
            "Multi_Headings\tNo\nX_Columns\tOne\nTime_Pref\tRelative\n***End_of_Header***\t\n\t\nChannels\t2\t\t\n"
            "Samples\t150\t150\t\nY_Unit_Label\tVolts\tAmps\t\nX_Dimension\tTime\tTime\t\n***End_of_Header***\t\t\t\n"
            "X_Value\tVoltage\tCurrent\tComment",
            lambda n, t, v, g: f"{t:.6f}\t{v:.6f}\t{READ * g:.12f}\t")).replace("\n", "\r\n"),
        "voltage=Voltage [V],current=Current [A],read voltage=0,2 V",
    ),
    # LeCroy 9300C Series, Appendix E, p. E-11 "Spreadsheet Format": lines of the oscilloscope, then Time,Ampl.
    "LeCroy 9300, spreadsheet": (
        table("LECROY9354,935412345\nSegments,1,SegmentSize,150\nSegment,TrigTime,TimeSinceFirstSegment\n"
              "#1,21 Mar 1990 9:37:08,0.0\nTime,Ampl,Ampl1", lambda n, t, v, g: f"{t:.4f},{v},{READ * g:.9e}"),
        "voltage=Ampl [V],current=Ampl1 [A],read voltage=0.2 V",
    ),
    # Hioki LR8431, Appendix 3 "Text File (CSV) Internal Format", p. A8: quoted lines of settings, titles CH-1[V].
    "Hioki LR8431": (
        table('"File name","WAVE0001.CSV","V 1.00"\n"Title comment",""\n"Trigger Time","\'12-07-01 09:14:03"\n'
              '"Ch","Mode","Range","Comment","Scaling","Ratio","Offset"\n"CH-1","Voltage","10V","","Off","-","-"\n'
              '"CH-2","Voltage","1V","","On"," 1.00000E-06"," 0.00000E+00"\n"Time","CH-1[V]","CH-2[uA]","ALM-CH1","Event",',
              lambda n, t, v, g: f"{t:.5f},{v: .5E},{1e6 * READ * g: .8E},0,0,"),
        "voltage=CH-1[V],current=CH-2[uA],read voltage=0.2 V",
    ),
    # Keithley 2450 Reference Manual (2450-901-01 Rev. B), p. 6-118 ":TRACe:SAVE:APPend": buffers appended to one CSV file, whose
    # index begins at 1 again for each; here with the titles of each buffer.
    "Keithley 2450, buffers appended": (
        "".join("Buffer,defbuffer1\nIndex,Reading,Unit,Source Value,Source Unit,Relative Time\n" + "\n".join(
            f"{i + 1},{READ * g:.9E},Amp DC,{v:.4f},Volt DC,{1e-3 * i:.6f}" for i, (_, _, v, g) in enumerate(ROWS[a : a + 50]))
            + "\n\n" for a in (0, 50, 100)),
        "current=Reading [A],voltage=Source Value [V],read voltage=0.2 V,time=Relative Time",
    ),
    # Keysight InfiniiVision 3000 X-Series User's Guide, p. 339 "CSV and ASCII XY file structure": three header rows, the
    # first with the number of points; columns named by their channels.
    "Keysight InfiniiVision": (
        table("150\nx-axis,1,2\nsecond,Volt,Ampere", lambda n, t, v, g: f"{t:+.6E},{v:+.5E},{READ * g:+.8E}"),
        "voltage=1,current=2,read voltage=0.2 V",
    ),
    # Panasonic FPWIN, topic t-0000014608 "CSV format": up to six header lines, the third with names, the last with units.
    "Panasonic logger": (
        table("Log of device A2\nDate,Time,1,2\n,,Pulse voltage,Conductance\n,,of the pulse,after it\n,,MOMENT,MOMENT\n,,V,uS",
              lambda n, t, v, g: f"2013-04-01,12:{n // 60:02}:{n % 60:02},{v},{1e6 * g:.8f}"),
        "",
    ),
    # Fuji Electric FLD-1 manual INF-TN1FSC-E, p. 178, table 16-2: line 1 names, line 2 units, then a date in column A.
    "Fuji data file": (
        table(",PULSE VOLTAGE,CURRENT,READ VOLTAGE\n,V,nA,mV",
              lambda n, t, v, g: f"2009/9/30 10:{n // 60:02}:{n % 60:02},{v},{1e9 * READ * g:.7f},{1e3 * READ}"),
        "",
    ),
    # Ansys Twin Builder 2025 R1, "CSV File Format": names and units in square brackets, together in quotation marks.
    "Twin Builder": (
        table('"Time [ms]", "R1.V [V]", "C1.I [uA]"\n', lambda n, t, v, g: f"{1e3 * t:g},{v},{1e6 * READ * g:.9f}"),
        "voltage=R1.V [V],current=C1.I [uA],read voltage=200 mV",
    ),
    # Keithley 4200A-SCS Pulse Card User's Manual (4200A-PMU-900-01 Rev. A), p. 4-26 "Waveform discrete readings": voltage,
    # current and time stamp of a sample as one data set; the sheet names the run in the titles when runs are appended.
    "Keithley 4200A, run 1": (
        table("PulseV(1),MeasI(1),MeasV(1),Time(1)", lambda n, t, v, g: f"{v:.4E},{READ * g:.9E},{READ:.4E},{t:.4E}"),
        "",
    ),
    # The export of EC-Lab: "Nb header lines", tabs, decimal commas, cp1252, units by a slash (read by galvani, BioLogic.py).
    "EC-Lab": (
        comma(table("EC-Lab ASCII FILE\nNb header lines : 5\n\nRun on channel : 1 (SN 24152)\ntime/s\tcontrol/V\tEwe/V\t<I>/µA",
                    lambda n, t, v, g: f"{t:.6E}\t{v:.4E}\t{READ:.4E}\t{1e6 * READ * g:.9E}")).encode("cp1252"),
        "voltage=control/V,read voltage=Ewe/V,current=<I>/µA",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_manuals_give_the_measured_train(name: str) -> None:
    data, columns = FORMATS[name]
    train: PulseTrain = parse_pulse_train(data, "export.txt", columns=columns)
    np.testing.assert_allclose(train.g, [g for *_, g in ROWS], rtol=1e-6)
    assert train.cycles == 3 and train.steps == 147 and train.voltage == pytest.approx((1.6, 1.8))
    assert np.array_equal(train.polarity[~train.first], np.sign([v for _, _, v, _ in ROWS])[~train.first])


def test_there_are_ten_formats() -> None:
    assert len(FORMATS) > 10
