"""A chip in a scikit-learn pipeline: you see its accuracy on held-out digits and the energy of one update."""

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from analog_ff import ForwardForwardClassifier

x, y = load_digits(n_class=2, return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
chip = ForwardForwardClassifier(device="ideal", hidden=(24,), epochs=5, batch=20)
model = make_pipeline(PCA(16, random_state=0), chip).fit(x_train, y_train)
print(f"right: {100 * model.score(x_test, y_test):.0f} %")
print(f"one update: {1e9 * chip.energy_['per_update_joule']:.1f} nJ")
